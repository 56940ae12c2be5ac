package reducer

import "bytes"

// Both ends set up an IKE SA with the other at once (PROTOCOL.md, C-41, C-42). Where `unique` wants one of them, both ends must
// mean the same one: of the four nonces of the two IKE_SA_INIT exchanges the lowest marks the SA that is redundant, as in a
// rekey of both ends (RFC 7296, section 2.8.1), and the end that began it closes it.

// crossingLasts is how long after an SA came up an IKE_SA_INIT of the peer may come that was first sent before: ours, the
// retransmissions of one that was lost a few times.
const crossingLasts = 60 * second

// crossed reports whether the two ends began one of these each, and sa was begun before other was up, or so soon after it
// that its first message may have been under way.
func crossed(sa, other *IKESA, late int64) bool {
	return sa.Initiator != other.Initiator && sa.Created < other.Established+late
}

// lostCrossing settles a crossing now that both are up: the redundant SA goes by a Delete of its initiator. True: that is us,
// and it is sa.
func (t *step) lostCrossing(sa *IKESA, other IKESA) bool {
	switch {
	case lower(sa, &other):
		return sa.Initiator
	case other.Initiator:
		t.closeIKESA(&other, t.decided(), 0, t.s.config.Settings.DiscardAfter)
	}
	return false
}

// settleMet settles crossings with set-ups of our own that were not up when the peer of sa had proved who it is, and are now that
// sa is: who was looking for whom has been in time for neither.
func (t *step) settleMet(sa *IKESA, met []uint64) {
	for _, number := range met {
		if other, ok := t.sa(number); ok && other.Phase == Established && crossed(sa, &other, crossingLasts) {
			t.lostCrossing(sa, other)
		}
	}
}

// lower reports whether a has the lowest nonce of both SAs. Octets are compared from the first, and of two that begin alike the
// shorter is lower (CR-3). A peer may send the same nonce twice: then the SPI decides, which both ends know as well (ours).
func lower(a, b *IKESA) bool {
	if c := bytes.Compare(a.lowestNonce(), b.lowestNonce()); c != 0 {
		return c < 0
	}
	return a.SPIi < b.SPIi
}

func (sa *IKESA) lowestNonce() []byte {
	if sa.SetUp == nil {
		return sa.LowestNonce
	}
	return sorted(sa.SetUp.Ni, sa.SetUp.Nr)[0]
}
