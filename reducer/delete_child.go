package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Closing a Child SA (RFC 7296, section 1.4.1): each end names the SPI it receives on, and each half is closed by a
// Delete of its own: ours in the request, the peer's in the response.

// closeChild wants one child closed, on an operator's word.
func (t *step) closeChild(sa IKESA, number, ticket uint64) {
	for _, child := range sa.Children {
		switch {
		case child.Number != number:
			continue
		case sa.Phase != Established, child.Phase == ChildDeleting, child.Phase == ChildRekeyed, sa.Window.Wants(wishDeleteIKE, 0), sa.Window.Wants(wishDeleteChild, number):
			t.answer(sa.Number, ticket, "") // it goes already, by itself or with its IKE SA (PROTOCOL.md, D-02)
		case sa.Serving != nil && sa.Serving.Child == number:
			t.answer(sa.Number, ticket, childName(number)+" is being made as the peer asked; terminate it when it is installed")
		default:
			if c, making := sa.making(number); making && !c.open() {
				t.failCreation(&sa, c, "it is not wanted any more")
				t.answer(sa.Number, ticket, "")
			} else {
				t.want(&sa, Waiting{Wish: wishDeleteChild, Child: number, Decided: t.decided(), Ticket: ticket})
			}
			t.put(sa)
		}
		return
	}
	t.answer(sa.Number, ticket, "it is gone already")
}

// buildDeleteChild names the SPI we receive on; there is nothing to build when the child has gone meanwhile.
func (t *step) buildDeleteChild(sa *IKESA, w Waiting) (message, bool) {
	for i, child := range sa.Children {
		if child.Number == w.Child {
			t.changeChild(sa, &child, ChildDeleting)
			sa.Children = replaced(sa.Children, i, child)
			return informational(ike.Delete{Protocol: child.Protocol, SPIs: []uint32{child.InboundSPI}}), true
		}
	}
	t.dropWish(sa, w, "the child is gone already")
	t.answer(sa.Number, w.Ticket, "")
	return message{}, false
}

// childDeleteAnswered removes the child; its outbound half may have gone before, by the peer's own Delete.
func (t *step) childDeleteAnswered(sa *IKESA, w Waiting) {
	for i := range sa.Children {
		if sa.Children[i].Number == w.Child {
			t.removeChild(sa, i)
			break
		}
	}
	t.answer(sa.Number, w.Ticket, "")
}

// serveDeleteChild removes the pairs whose outbound SPI the peer names, and answers with our inbound SPI of each. A pair
// that we are deleting loses its outbound half now and is not named (PROTOCOL.md, D-06, D-08); an SPI we do not know is
// no error (D-09).
func (t *step) serveDeleteChild(sa IKESA, to Answering, spis []uint32) {
	if next, ok := t.sa(sa.Successor); ok && sa.Successor != 0 {
		t.serveInheritedDelete(sa, next, to, spis)
		return
	}
	var ours []uint32
	var again []ChildConfig
	for _, spi := range spis {
		known := false
		for i := range sa.Children {
			child := sa.Children[i]
			if !child.sendsTo(spi) {
				continue
			}
			known = true
			sa.childDeletedByPeer(child.Number)
			if child.Phase == ChildDeleting {
				child.OutboundGone = true
				sa.Children = replaced(sa.Children, i, child)
				t.remove(&sa, child, 0, child.OutboundSPI)
			} else {
				ours = append(ours, child.InboundSPI)
				t.removeChild(&sa, i)
				t.restoreReplaced(&sa, child.Number)
				if config, ok := t.wantedAgain(&sa, child); ok {
					again = append(again, config)
				}
			}
			break
		}
		if !known {
			sa.unknownDeleted(spi)
		}
	}
	t.answerDeletes(&sa, to, ours)
	for _, config := range again {
		t.wantChild(&sa, config, 0, 0)
	}
	t.put(sa)
}

// answerDeletes names our inbound SPI of each pair that is closed, or nothing.
func (t *step) answerDeletes(sa *IKESA, to Answering, ours []uint32) {
	if len(ours) > 0 {
		t.respond(sa, to, ike.Delete{Protocol: ike.ProtocolESP, SPIs: ours})
	} else {
		t.respond(sa, to)
	}
}

// sendsTo reports whether that is the SPI by which the peer names the child; one that is being made may have none yet.
func (c *ChildSA) sendsTo(spi uint32) bool {
	return spi != 0 && c.OutboundSPI == spi && !c.OutboundGone
}

// serveInheritedDelete: the peer named the IKE SA that was rekeyed; the Child SAs are its successor's by now (PROTOCOL.md, D-42,
// C-62).
func (t *step) serveInheritedDelete(sa, next IKESA, to Answering, spis []uint32) {
	var ours []uint32
	for _, spi := range spis {
		for i, child := range next.Children {
			if child.sendsTo(spi) && child.Phase != ChildDeleting {
				ours = append(ours, child.InboundSPI)
				t.removeChild(&next, i)
				break
			}
		}
	}
	t.answerDeletes(&sa, to, ours)
	t.put(sa)
	t.put(next)
}

// wantChildDeleted wants a child deleted that has no use any more; with its IKE SA it goes anyway (PROTOCOL.md, D-02).
func (t *step) wantChildDeleted(sa *IKESA, child uint64) {
	if sa.Phase == Established && !sa.Window.Wants(wishDeleteIKE, 0) && sa.place(child) >= 0 {
		t.want(sa, Waiting{Wish: wishDeleteChild, Child: child, Decided: t.decided()})
	}
}

// removeChild takes a child out of the State and out of the kernel.
func (t *step) removeChild(sa *IKESA, i int) {
	child := sa.Children[i]
	t.stopChildTimer(sa, &child)
	t.destroyShare(sa, child.ShareRef)
	sa.Children = without(sa.Children, i)
	outbound := child.OutboundSPI
	if child.OutboundGone {
		outbound = 0
	}
	if child.Installed != 0 {
		t.remove(sa, child, child.InboundSPI, outbound)
	} else {
		t.release(sa, child)
	}
	t.answer(sa.Number, child.Ticket, "the child was closed before it was installed")
	t.changeChild(sa, &child, Removed)
	if c, making := sa.making(child.Number); making {
		sa.over(c)
		t.destroyShare(sa, c.KeyRef)
		t.answer(sa.Number, c.Ticket, "the child was closed before it was made")
	}
}

// release gives back the SPI of a child that was never installed. One the kernel is still installing is removed when it
// says that it is done; one it refused holds nothing.
func (t *step) release(sa *IKESA, child ChildSA) {
	if child.InboundSPI != 0 && child.OutboundSPI == 0 {
		t.remove(sa, child, child.InboundSPI, 0)
	}
}

// remove orders halves of a child out of the kernel; an SPI of 0 leaves that half.
func (t *step) remove(sa *IKESA, child ChildSA, inbound, outbound uint32) {
	path := child.Path
	if child.Installed == 0 {
		path = sa.Path
	}
	t.order(Effect{Kind: EffectRemoveChild, SA: sa.Number, Child: child.Number, Protocol: child.Protocol, Path: path,
		Install: &Installation{InboundSPI: inbound, OutboundSPI: outbound}})
}

// dropChildren removes them all: the IKE SA they belong to is at its end.
func (t *step) dropChildren(sa *IKESA) []uint64 {
	var gone []uint64
	for len(sa.Children) > 0 {
		gone = append(gone, sa.Children[0].Number)
		t.removeChild(sa, 0)
	}
	return gone
}

// childRemoved: the kernel has answered a removal. The child left the State when that was ordered; where there was nothing to
// remove, that stands in the journal. Where the kernel still has some of it, the two ends do not agree any more on what
// they share: the IKE SA is closed, and all that is under it (PROTOCOL.md, D-13).
func (t *step) childRemoved(ev *record.ChildRemoved) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ev.GetHeld() || !ok || sa.Phase != Established {
		return
	}
	t.closeIKESA(&sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
}
