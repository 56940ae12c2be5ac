package reducer

import "github.com/ikejd/ikejd/proto/record"

// Hints that an SA may be gone at the peer (RFC 7296, sections 2.4 and 2.21.4): INVALID_IKE_SPI and the like, unprotected, so
// that anybody could have sent them. They end nothing and shorten nothing; we may ask the peer, and not often.

// hintPause is the least time between two liveness checks of an SA that hints began (PROTOCOL.md, W-18).
const hintPause = 10 * second

// Hintable reports whether a hint at time now may have us ask for a sign of life. A request in flight asks already.
func (sa *IKESA) Hintable(now int64) bool {
	return sa.Phase == Established && len(sa.Window.InFlight)+len(sa.Window.Waiting) == 0 && (sa.Hinted == 0 || now-sa.Hinted >= hintPause)
}

// hintReceived asks the peer for a sign of life. Nothing of what the hint says is taken for true.
func (t *step) hintReceived(*record.HintReceived) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok || !sa.Hintable(t.now) {
		t.drop("a hint that is too late, too soon, or about a peer that is being asked")
		return
	}
	sa.Hinted = t.now
	t.want(&sa, Waiting{Wish: wishLiveness, Decided: t.decided()})
	t.put(sa)
}
