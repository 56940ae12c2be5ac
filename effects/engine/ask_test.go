package engine_test

import (
	"slices"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// What a test asks of a node, and how it looks at one.

const (
	millisecond = uint64(time.Millisecond)
	cryptGCM    = uint32(ike.EncrAESGCM16)
)

func fqdn(name string) *record.Identity {
	return &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(name)}
}

// connect gives n its configuration for a tunnel to peer, with waits that suit a test.
func (n *node) connect(peer *node, change func(*record.Config)) {
	n.config = &record.Config{Settings: quick(), Connections: []*record.Connection{{Name: "gw", LocalAddrs: []string{n.address.Addr().String()},
		RemoteAddrs: []string{peer.address.Addr().String()}, LocalId: fqdn(n.name), RemoteId: fqdn(peer.name),
		Proposals: []*record.Proposal{ikeProposal()}, Children: []*record.Child{childNet()}}}}
	if change != nil {
		change(n.config)
	}
}

func quick() *record.Settings {
	return &record.Settings{RetransmitFirst: 100 * millisecond, RetransmitLeast: 50 * millisecond, RetransmitMost: 200 * millisecond,
		RetransmitGrowth: 120, RetransmitSends: 40}
}

func ikeProposal() *record.Proposal {
	return &record.Proposal{Ciphers: []*record.Cipher{{Id: cryptGCM, KeyLength: 128}},
		Prfs: []uint32{uint32(ike.PRFHMACSHA2_256)}, Groups: []uint32{uint32(ike.GroupCurve25519)}}
}

func childNet() *record.Child {
	return &record.Child{Name: "net", Proposals: []*record.Proposal{{Ciphers: []*record.Cipher{{Id: cryptGCM, KeyLength: 128}}}}}
}

func operator() *record.Because { return &record.Because{Root: record.Root_ROOT_OPERATOR} }

func (n *node) initiate(ticket uint64, peer *node) {
	path, err := n.path(peer.address.Addr().String())
	if err != nil {
		n.t.Fatal(err)
	}
	n.running().engine.Post(&record.Event{Because: operator(), Kind: &record.Event_InitiateAsked{
		InitiateAsked: &record.InitiateAsked{Connection: "gw", Child: "net", Ticket: ticket, Path: reducer.PathRecord(path)}}})
}

func (n *node) close(ticket, sa, child uint64) {
	n.running().engine.Post(&record.Event{IkeSa: sa, Because: operator(), Kind: &record.Event_CloseAsked{
		CloseAsked: &record.CloseAsked{Ticket: ticket, ChildSa: child}}})
}

func (n *node) shutdown(budget time.Duration) {
	n.running().engine.Post(&record.Event{Because: operator(), Kind: &record.Event_ShutdownAsked{
		ShutdownAsked: &record.ShutdownAsked{Signal: "SIGTERM", Budget: uint64(budget)}}})
}

// wait waits until holds is true; the time limit only ends a test that hangs.
func (n *node) wait(what string, holds func() bool) {
	n.t.Helper()
	for range 6000 {
		if holds() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	n.t.Fatalf("%s: never %s", n.name, what)
}

// settle waits until everything that has come in is reduced, durable and carried out.
func (n *node) settle() {
	n.t.Helper()
	r := n.running()
	n.wait("quiet", func() bool { return engine.Quiet(r.engine) })
	const barrier = 1 << 30
	for range 2 { // the answer to the first may come before datagrams of its batch, not of the second's
		n.close(barrier, 1<<60, 0) // there is no such SA
		n.answered(barrier)
		n.mu.Lock()
		delete(n.answers, barrier)
		n.mu.Unlock()
	}
}

// answered is what the operator was told under a ticket, which must be once.
func (n *node) answered(ticket uint64) string {
	n.t.Helper()
	var all []string
	n.wait("answered", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		all = n.answers[ticket]
		return len(all) > 0
	})
	return all[0]
}

func (n *node) must(ticket uint64) {
	n.t.Helper()
	if problem := n.answered(ticket); problem != "" {
		n.t.Fatalf("%s: ticket %d: %s", n.name, ticket, problem)
	}
}

func (n *node) sas() []*reducer.IKESA {
	var all []*reducer.IKESA
	if r := n.running(); r != nil {
		r.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
			all = append(all, sa)
			return true
		})
	}
	return all
}

// phases are the phases of the node's SAs.
func (n *node) phases() []reducer.Phase {
	var all []reducer.Phase
	for _, sa := range n.sas() {
		all = append(all, sa.Phase)
	}
	return all
}

func (n *node) are(phases ...reducer.Phase) func() bool {
	return func() bool { return slices.Equal(n.phases(), phases) }
}

// children is how many Child SAs the node's kernel has.
func (n *node) children() int {
	r := n.running()
	if r == nil {
		return 0
	}
	list, err := r.plane.List()
	if err != nil {
		n.t.Fatal(err)
	}
	return len(list)
}

// vault is how many secrets the node's journal holds.
func (n *node) vault() int {
	entries, err := n.running().journal.Vault()
	if err != nil {
		n.t.Fatal(err)
	}
	return len(entries)
}

// pair is two nodes that know each other, running.
func pair(w *wire, change func(*record.Config)) (a, b *node) {
	a, b = newNode(w.t, w, "a.example", "192.0.2.1:500"), newNode(w.t, w, "b.example", "192.0.2.2:500")
	a.connect(b, change)
	b.connect(a, change)
	a.start("secret")
	b.start("secret")
	return a, b
}

// up sets up the tunnel from a to b.
func up(a, b *node) {
	a.t.Helper()
	a.initiate(7, b)
	a.must(7)
	b.wait("established", b.are(reducer.Established))
}
