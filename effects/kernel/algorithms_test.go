package kernel

import "testing"

// The two tables against each other: an algorithm has key lengths, and an AEAD has a salt.
func TestTables(t *testing.T) {
	for id, c := range ciphers {
		if len(c.bits) == 0 {
			t.Errorf("encryption %d has no key length", id)
		}
		if c.aead && c.salt == 0 {
			t.Errorf("encryption %d is an AEAD without a salt", id)
		}
		for _, bits := range c.bits {
			octets, ok := c.keyOctets(bits)
			if !ok || octets != int(bits)/8+c.salt || bits%8 != 0 {
				t.Errorf("encryption %d of %d bits: %d octets, %v", id, bits, octets, ok)
			}
		}
		if _, ok := c.keyOctets(0); ok != (len(c.bits) == 1) {
			t.Errorf("encryption %d without a key length: %v", id, ok)
		}
	}
}
