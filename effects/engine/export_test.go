package engine

// Quiet reports whether nothing that came in is still under way to the reducer: no datagram in hand, no half-open SA being
// looked at, no event waiting.
func Quiet(e *Engine) bool {
	e.door.mu.Lock()
	for _, o := range e.door.opening {
		if o.busy {
			e.door.mu.Unlock()
			return false
		}
	}
	e.door.mu.Unlock()
	e.door.inHand.mu.Lock()
	defer e.door.inHand.mu.Unlock()
	return len(e.door.inHand.digests) == 0 && e.queue.empty()
}
