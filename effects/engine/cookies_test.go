package engine

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"
)

type standing int64

func (c *standing) Now() int64 { return int64(*c) }

// TestN31: a cookie is good under the secret that made it and under the next, and not after; K-07.
func TestN31(t *testing.T) {
	var clock standing
	c := newCookies(Config{Clock: &clock, CookieRandom: rand.Reader, Limits: Limits{}.withDefaults()})
	from, nonce := netip.MustParseAddr("192.0.2.1"), []byte("a nonce of 16 oct")
	cookie := c.make(nonce, 7, from)
	if !c.good(cookie, nonce, 7, netip.MustParseAddr("::ffff:192.0.2.1")) {
		t.Error("the address is another where it is mapped")
	}
	clock += standing(59 * time.Second)
	c.age()
	if !c.good(cookie, nonce, 7, from) || c.version != cookie[0] {
		t.Error("another secret within a minute")
	}
	for age := 1; age <= 255; age++ {
		clock += standing(time.Minute)
		c.age()
		if good := c.good(cookie, nonce, 7, from); good != (age < 2) {
			t.Fatalf("good %t, %d secrets old", good, age)
		}
	}
	// The version octet comes again, the secret does not.
	clock += standing(time.Minute)
	c.age()
	if c.version != cookie[0] || c.good(cookie, nonce, 7, from) {
		t.Error("good again when its version came again")
	}
}
