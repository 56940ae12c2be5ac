package engine

import (
	"net/netip"
	"sync"
)

// inHand is what the door has let through and the published State does not show yet. Without it a copy of a datagram that
// arrives meanwhile would be let through too: an IKE_SA_INIT request would make a second SA (PROTOCOL.md, W-19), a fresh
// request would be an event for each copy, and a burst would pass the limits of K-05 and K-06 before the first of it
// counts.
type inHand struct {
	mu        sync.Mutex
	digests   map[uint64]netip.Addr // -> the stranger it came from; of an authentic datagram, none
	strangers int                   // of them
	sources   map[netip.Addr]int

	// Strangers whose request made no SA in this second. They count as half-open until it is over: else a flood of
	// requests that are refused would meet no limit, and each would be a record (K-16).
	refused        int
	refusedSources map[netip.Addr]int
}

func newInHand() *inHand {
	return &inHand{digests: map[uint64]netip.Addr{}, sources: map[netip.Addr]int{}, refusedSources: map[netip.Addr]int{}}
}

// take notes a datagram; false: a copy of it is in hand already.
func (h *inHand) take(digest uint64, stranger netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.digests[digest]; there {
		return false
	}
	h.digests[digest] = stranger
	if stranger.IsValid() {
		h.strangers++
		h.sources[stranger]++
	}
	return true
}

// drop forgets a datagram that will be no event after all.
func (h *inHand) drop(digest uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(digest)
}

// seen forgets datagrams that the published State knows. made tells whether an IKE_SA_INIT request made an SA.
func (h *inHand) seen(digests []uint64, made func(digest uint64) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, digest := range digests {
		if stranger := h.forget(digest); stranger.IsValid() && !made(digest) {
			h.refused++
			h.refusedSources[stranger]++
		}
	}
}

func (h *inHand) forget(digest uint64) (stranger netip.Addr) {
	stranger = h.digests[digest]
	delete(h.digests, digest)
	if stranger.IsValid() {
		h.strangers--
		if h.sources[stranger]--; h.sources[stranger] == 0 {
			delete(h.sources, stranger)
		}
	}
	return stranger
}

// crowd is how many strangers count as half-open beside those of the State: in all, and of one source.
func (h *inHand) crowd(of netip.Addr) (all, source int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.strangers + h.refused, h.sources[of] + h.refusedSources[of]
}

func (h *inHand) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.digests)
}

// newSecond forgets who was refused.
func (h *inHand) newSecond() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = 0
	clear(h.refusedSources)
}
