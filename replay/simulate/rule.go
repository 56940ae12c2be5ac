package simulate

import (
	"time"

	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// rule is what a scenario says of messages on their way.
type rule struct {
	verb    scenario.Verb
	msg     func(from *Node, m *message) bool
	second  func(from *Node, m *message) bool
	left    int     // copies it still concerns; -1: all
	share   float64 // of all
	wait    time.Duration
	waiting []*message
	to      *Node
	over    bool
	said    func(*message) *message // what is said in its place
}

// scripted lets the rules decide of a datagram; false: none does, and it is carried as usual.
func (x *network) scripted(from, to *Node, m *message) bool {
	if x.isSplit(from, to) {
		return false
	}
	for _, r := range x.rules {
		if r.over || r.left == 0 {
			continue
		}
		switch r.verb {
		case scenario.Lose:
			if r.share > 0 {
				if maybe(x.chance, r.share) {
					return true
				}
				continue
			}
			if r.msg(from, m) {
				r.left--
				return true
			}
		case scenario.Hold:
			if r.msg(from, m) {
				r.left--
				x.deliver(to, r.wait, m)
				return true
			}
		case scenario.Sends: // the wrong half, in place of the right one
			if r.msg(from, m) {
				x.deliver(to, 5*time.Millisecond, r.said(m))
				return true
			}
		case scenario.Dup:
			if r.msg(from, m) {
				r.left--
				x.deliver(to, 5*time.Millisecond, m)
				x.deliver(to, 6*time.Millisecond, m)
				return true
			}
		case scenario.Swap, scenario.Batch: // the first waits for the second
			if r.msg(from, m) {
				r.waiting, r.to = append(r.waiting, m), to
				return true
			}
			if r.second(from, m) {
				r.over = true
				x.release(r, to, m)
				return true
			}
		}
	}
	return false
}

// release delivers what waited, with or after what it waited for.
func (x *network) release(r *rule, to *Node, m *message) {
	if r.verb == scenario.Batch && r.to == to {
		x.deliver(to, 5*time.Millisecond, append(r.waiting, m)...)
		return
	}
	x.deliver(to, 5*time.Millisecond, m)
	for _, held := range r.waiting {
		x.deliver(r.to, 10*time.Millisecond, held)
	}
}
