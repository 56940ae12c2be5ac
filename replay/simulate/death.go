package simulate

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// when is where a node dies.
type when uint8

const (
	anywhere    when = iota
	beforeWrite      // a batch is reduced, and the disk was not asked
	insideWrite      // the disk was asked, and has not answered: it may hold the batch, or not
	afterWrite       // the batch is durable, and nothing of it was carried out
	insideSends      // some of its datagrams have left
)

func (w when) String() string {
	return [...]string{"anywhere", "before a write", "inside a write", "after a write", "between two sends"}[w]
}

// death is one that is planned: at the commit of that number.
type death struct {
	commit int // 0: none is planned
	how    when
	sends  int
	keep   bool // inside a write: the disk has the batch
}

func (d death) due(commits int) bool { return d.commit != 0 && commits >= d.commit }

// dies kills the node where that was planned.
func (n *Node) dies(how when) bool {
	if !n.death.due(n.commits) || n.death.how != how {
		return false
	}
	keep := n.death.keep
	n.death = death{}
	n.die(how, keep)
	return true
}

// plan has the node die at its next commit.
func (n *Node) plan(r *rand.Rand) {
	n.death = death{commit: n.commits + 1, how: when(1 + r.IntN(4)), sends: r.IntN(3), keep: maybe(r, 0.5)}
}

// die ends the life as kill -9 does. The disk may hold the batch it was writing; the kernel has done some of what it was
// asked for, in order.
func (n *Node) die(how when, keep bool) {
	l := n.life
	if l == nil {
		return
	}
	n.w.Tally.met(metDeath, how.String())
	if l.busy != nil && keep && !n.write(l, l.busy) {
		return
	}
	l.over = true
	if len(l.kernel) > 0 {
		for _, do := range l.kernel[:n.chance.IntN(len(l.kernel)+1)] {
			do(context.Background())
		}
	}
	n.life = nil
	n.kernel.Died()
	var err error
	if n.disk, err = n.disk.reopen(); err != nil {
		n.w.fail("REC-02", n, "the journal cannot be opened again: %v", err)
	}
	if l.d.State().Ending() == nil && !l.closing { // what a shutdown was to keep is not a death's to take (SHU-08)
		n.loseSecret()
	}
	n.comeBack()
}

// loseSecret takes an entry out of the vault, as one does who puts back an older vault: the SA cannot be taken over.
func (n *Node) loseSecret() {
	m, inMemory := n.disk.(*memory)
	if !inMemory || len(m.vault) == 0 {
		return
	}
	if r, lost := n.outside("vault", n.w.faults.Vault); lost {
		refs := slices.Sorted(maps.Keys(m.vault))
		delete(m.vault, refs[r.IntN(len(refs))])
		n.secretsLost++
		n.w.said("the secrets of an SA are lost")
		n.w.Tally.met(metFault, "lost secrets")
	}
}

// comeBack starts the node again after a while.
func (n *Node) comeBack() {
	wait := n.back
	if wait == 0 {
		wait = between(n.chance, 10*time.Millisecond, 2*time.Second)
		if maybe(n.chance, 0.2) {
			wait = between(n.chance, time.Second, 2*time.Minute)
		}
	}
	n.w.after(wait, n.start)
}
