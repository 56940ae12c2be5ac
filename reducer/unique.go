package reducer

// Several IKE SAs between the same two identities: what INITIAL_CONTACT says of them (RFC 7296, section 2.4) and what the
// configuration wants (swanctl.conf's `unique`).

// The values of `unique`; the numbers are record.Unique's.
const (
	uniqueNo      = iota // others stay, unless the peer says by INITIAL_CONTACT that it has none
	uniqueNever          // others stay, whatever the peer says
	uniqueKeep           // one that is up stays, and a peer who comes again is refused
	uniqueReplace        // others are closed
)

// verdict is what becomes of an SA whose peer has proved who it is.
type verdict uint8

const (
	staysUp verdict = iota
	oneTooMany
	redundantSA // the two ends began one each, and ours is to go
)

// onlyOne settles it once the peer of sa has proved who it is.
func (t *step) onlyOne(sa *IKESA) verdict {
	first := sa.SetUp.PeersFirst
	sa.SetUp.PeersFirst = false
	c, _ := t.connection(sa.Connection)
	if c.Unique == uniqueNever {
		return staysUp
	}
	outcome := staysUp
	for _, number := range t.ev.GetAuthenticated().GetOthers() {
		other, ok := t.sa(number)
		if !ok || other.Number == sa.Number || other.RemoteID != sa.RemoteID || other.LocalID != sa.LocalID {
			continue // the index beside the State names them, and is checked here
		}
		if other.Phase == HalfOpen && other.Initiator && !sa.Initiator && c.Unique >= uniqueKeep {
			sa.SetUp.Met = with(sa.SetUp.Met, number)
		}
		if other.Phase != Established && other.Phase != Deleting {
			continue
		}
		switch {
		case first && !crossed(sa, &other, 0):
			t.supersede(sa, other)
		case c.Unique < uniqueKeep || other.Phase != Established:
			// it may stay, or goes already
		case crossed(sa, &other, crossingLasts):
			if t.lostCrossing(sa, other) {
				outcome = redundantSA
			}
		case c.Unique == uniqueKeep:
			return oneTooMany
		case c.Unique == uniqueReplace:
			t.closeIKESA(&other, t.decided(), 0, t.s.config.Settings.DiscardAfter)
		}
	}
	return outcome
}

// supersede discards an SA of a peer that says it has none but sa (PROTOCOL.md, D-27). The peer has no state for it, so it
// gets no Delete.
func (t *step) supersede(sa *IKESA, other IKESA) {
	other.Decided = t.decided()
	t.discard(other, Superseded, ikeName(sa.Number)+" came up with INITIAL_CONTACT")
}
