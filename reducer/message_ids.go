package reducer

import "math"

// The end of message ids (RFC 7296, section 2.2): they are never used again on an IKE SA and never begin anew, so an SA
// ends before they do (PROTOCOL.md, W-25).

const (
	lateIDs = 1<<32 - 1<<10 // from here on an SA is rekeyed, which gives it ids from 0 on
	lastIDs = 1<<32 - 1<<8  // and from here on closed: a Delete is all that is asked after it, so no id comes near the last one
)

// idsEnd rekeys an SA whose next request would have one of the late ids, and closes it where that did not come about; it comes again
// where the configuration wants it up.
func (t *step) idsEnd(sa *IKESA) {
	if sa.Window.NextOut < lateIDs || sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) {
		return
	}
	if _, armed := sa.timer(rekeyTimer); sa.Window.NextOut < lastIDs && !(armed && sa.Refusals > 0) {
		t.rekeyIKE(sa, 0) // once: it is asked for again after a refusal only
		return
	}
	if sa.Window.NextOut < lastIDs {
		return
	}
	t.closeIKESA(sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
	if sa.Initiator {
		t.restartLost(*sa)
	}
}

// answerable reports whether a response may have that id: the last of all is left out, so that the next one expected never
// begins anew.
func answerable(id uint32) bool { return id != math.MaxUint32 }
