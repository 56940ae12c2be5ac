package reducer

import "math"

// The end of message ids (RFC 7296, section 2.2): they are never used again on an IKE SA and never begin anew, so an SA
// ends before they do (PROTOCOL.md, W-25).

// lastIDs is from which id of ours on an SA is closed. A Delete is all that is asked after it, so no id of ours comes near the
// last one.
const lastIDs = 1<<32 - 1<<10

// idsEnd closes an SA whose next request would have one of the last ids. It would be rekeyed; as long as this daemon rekeys
// none it goes by a Delete, and comes again where the configuration wants it up.
func (t *step) idsEnd(sa *IKESA) {
	if sa.Window.NextOut < lastIDs || sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) {
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
