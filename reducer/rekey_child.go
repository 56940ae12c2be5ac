package reducer

import "github.com/ikejd/ikejd/proto/ike"

// A Child SA in the place of another (RFC 7296, section 2.8): who began the exchange deletes the old one; the other end waits
// for that, and goes on receiving on it.

// rekeyWait is how long the other end has for the Delete that is expected of it (PROTOCOL.md, CR-16, D-17): ours.
const rekeyWait = 90 * second

// rekeyChild wants a Child SA replaced; once, however often it is asked for.
func (t *step) rekeyChild(sa *IKESA, old *ChildSA, ticket uint64) {
	c, _ := t.connection(sa.Connection)
	config, ok := c.child(old.Name)
	for _, making := range sa.Making {
		if making.Replaces == old.Number {
			t.answer(sa.Number, ticket, "")
			return
		}
	}
	if !ok || old.Phase != Installed || sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) || t.s.ending != nil {
		t.answer(sa.Number, ticket, childName(old.Number)+" is "+old.Phase.String()+" and not rekeyed")
		return
	}
	t.wantChild(sa, config, old.Number, ticket)
}

// childMade: the exchange of ours is complete and the kernel has what it made. The old one is deleted, unless the peer did
// that already (PROTOCOL.md, C-71).
func (t *step) childMade(sa *IKESA, c Creation) {
	if c.Done = sa.undecided(&c); c.Done {
		sa.keep(c)
		return
	}
	if sa.place(c.Rival.SA) >= 0 && c.lost(sa) {
		t.childRekeyLost(sa, c)
		return
	}
	sa.over(c)
	t.answer(sa.Number, c.Ticket, "")
	if c.Kind != RekeyedChild {
		return
	}
	if rival := c.Rival.SA; rival != 0 {
		t.replaceChild(sa, rival, c.Child, true) // the peer began it and deletes it (CR-4)
	}
	t.replaceChild(sa, c.Replaces, c.Child, false)
	t.wantChildDeleted(sa, c.Replaces)
}

// replaceChild notes that another Child SA has the place of old. Where the peer is to delete it, it has some time for that,
// and not longer than the old one lives.
func (t *step) replaceChild(sa *IKESA, old, by uint64, peerDeletes bool) {
	i := sa.place(old)
	if i < 0 || sa.Children[i].Phase != Installed {
		return
	}
	child := sa.Children[i]
	child.ReplacedBy = by
	t.changeChild(sa, &child, ChildRekeyed)
	if peerDeletes {
		t.setChildTimer(sa, &child, lifeTimer, t.now+rekeyWait)
	} else {
		t.stopChildTimer(sa, &child)
	}
	sa.Children = replaced(sa.Children, i, child)
}

// restoreReplaced: the peer has deleted what it, or we, had made in the place of another Child SA, so that one is in use again.
func (t *step) restoreReplaced(sa *IKESA, by uint64) {
	for i, old := range sa.Children {
		if old.ReplacedBy != by || old.Phase != ChildRekeyed {
			continue
		}
		t.stopChildTimer(sa, &old)
		old.ReplacedBy = 0
		t.changeChild(sa, &old, Installed)
		sa.Children = replaced(sa.Children, i, old)
		t.rekeyFailed(sa, Creation{Kind: RekeyedChild, Replaces: old.Number})
	}
}

// childReplacedByPeer: we have answered the peer's rekey. With our own rekey of the same Child SA open, which of the two stays is
// decided when that one's answer is here.
func (t *step) childReplacedByPeer(sa *IKESA, c Creation) {
	if ours, both := sa.replacing(c.Replaces); both {
		ours.Rival = Rival{c.Child, c.Ni, c.Nr}
		sa.keep(ours)
		t.decide(sa)
		return
	}
	t.replaceChild(sa, c.Replaces, c.Child, true)
}

// childRekeyLost: both ends rekeyed, and ours is the redundant one. We close what we began; the peer closes the old one.
func (t *step) childRekeyLost(sa *IKESA, c Creation) {
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	t.answer(sa.Number, c.Ticket, "")
	t.replaceChild(sa, c.Replaces, c.Rival.SA, true)
	t.wantChildDeleted(sa, c.Child)
}

// rivalStands: our exchange made nothing, the peer's did, and that is enough.
func (t *step) rivalStands(sa *IKESA, c Creation) {
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	t.answer(sa.Number, c.Ticket, "")
	if c.Kind == RekeyedIKE {
		t.moveTo(sa, c.Rival.SA, true)
		return
	}
	t.failChild(sa, sa.place(c.Child), "the peer rekeyed at the same time")
	t.replaceChild(sa, c.Replaces, c.Rival.SA, true)
}

// childNotFound: the peer does not have what we want to rekey. If it deleted it, so be it; if not, it lost it, and we make
// one anew (PROTOCOL.md, CR-9).
func (t *step) childNotFound(sa *IKESA, c Creation, n ike.Notify) {
	i := sa.place(c.Replaces)
	if i < 0 || c.ChildDeleted {
		t.failCreation(sa, c, "the peer deleted the child")
		return
	}
	old := sa.Children[i]
	if protocol, spi, err := n.ChildSPI(); err != nil || spi != old.InboundSPI || protocol != old.Protocol {
		t.failCreation(sa, c, "the peer refused: CHILD_SA_NOT_FOUND for another child")
		t.rekeyFailed(sa, c)
		return
	}
	t.removeChild(sa, i)
	t.destroyShare(sa, c.KeyRef)
	c.Kind, c.Replaces, c.KeyRef, c.Ni = NewChild, 0, 0, nil
	t.prepare(sa, &c)
	sa.keep(c)
}

// childDeletedByPeer notes the peer's Delete of a Child SA with our exchanges that it matters to.
func (sa *IKESA) childDeletedByPeer(number uint64) {
	if c, ok := sa.replacing(number); ok {
		c.ChildDeleted = true
		sa.keep(c)
	}
}

// unknownDeleted remembers the Delete of an SPI we do not know: the answer that names it may still be under way (PROTOCOL.md,
// D-10).
func (sa *IKESA) unknownDeleted(spi uint32) {
	for _, c := range sa.Making {
		if c.Kind != RekeyedIKE && c.open() && len(c.Deleted) < mostUnknown {
			c.Deleted = with(c.Deleted, spi)
			sa.keep(c)
		}
	}
}

// mostUnknown bounds what a peer can make us remember: ours.
const mostUnknown = 64
