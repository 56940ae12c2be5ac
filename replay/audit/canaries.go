package audit

import (
	"crypto/sha256"

	"github.com/ikejd/ikejd/proto/record"
)

// KEY-04: no octets of a secret stand in a record. The test keyring plants secrets; here only digests of them are kept,
// of their first 8 octets for the search and of the whole for the proof.

const canaryHead = 8

type canaries struct {
	heads map[uint64][]canary
}

type canary struct {
	length int
	digest [sha256.Size]byte
}

// base of the rolling hash; its canaryHead-th power takes the octet out that leaves the window.
const rollBase = 0x100000001b3

func (c *canaries) plant(secret []byte) {
	if len(secret) < canaryHead {
		return
	}
	if c.heads == nil {
		c.heads = map[uint64][]canary{}
	}
	h := uint64(0)
	for _, b := range secret[:canaryHead] {
		h = h*rollBase + uint64(b)
	}
	c.heads[h] = append(c.heads[h], canary{len(secret), sha256.Sum256(secret)})
}

// in reports whether a planted secret stands in data.
func (c *canaries) in(data []byte) bool {
	power := uint64(1)
	for range canaryHead {
		power *= rollBase
	}
	h := uint64(0)
	for i, b := range data {
		h = h*rollBase + uint64(b)
		if i >= canaryHead {
			h -= power * uint64(data[i-canaryHead])
		}
		start := i - canaryHead + 1
		if start < 0 {
			continue
		}
		for _, k := range c.heads[h] {
			if end := start + k.length; end <= len(data) && sha256.Sum256(data[start:end]) == k.digest {
				return true
			}
		}
	}
	return false
}

var key04 = &Rule{ID: "KEY-04", Limits: "Only secrets that were planted are looked for: without any the answer is inconclusive.",
	hooks: hooks{
		record: func(n *now) {
			if n.a.canaries.heads == nil {
				return
			}
			if data, err := record.Marshal(n.r); err == nil && n.a.canaries.in(data) {
				n.violation(nil, nil, "a secret stands in this record")
			}
		},
		end: func(n *now) {
			if n.a.canaries.heads == nil {
				n.inconclusive(nil, "planted secrets: a test keyring has them, a journal has none", "no secret was looked for")
			}
		},
	}}
