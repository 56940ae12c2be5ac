package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// Play is a scenario that can be run, with any seed: it fixes what happens, the seed how long everything takes and which
// keys are drawn.
type Play struct{ file *scenario.File }

// ParsePlay reads a scenario, and refuses one that needs what this daemon does not have.
func ParsePlay(text string) (*Play, error) {
	f, err := scenario.Parse(text)
	if err != nil {
		return nil, err
	}
	if needs := f.Needs(); needs != "" {
		return nil, fmt.Errorf("it needs %s, which this version does not have", needs)
	}
	p := &Play{f}
	if _, _, _, err := p.seeded(); err != nil {
		return nil, err
	}
	return p, nil
}

// Title is what the scenario is called.
func (p *Play) Title() string { return p.file.Title }

// Run plays it; a search, from that seed on. One that is a seed of its own is played with that.
func (p *Play) Run(seed uint64) (*World, *Failure) {
	if number, o, is, _ := p.seeded(); is { // ParsePlay has refused errors
		return Seed(number, o)
	}
	for i := range p.file.Statements {
		if s := &p.file.Statements[i]; s.Verb == scenario.Search {
			return search(seed, s.Count)
		}
	}
	return p.run(seed, nil)
}

// Searches reports whether the scenario is not one run but very many.
func (p *Play) Searches() bool {
	return slices.ContainsFunc(p.file.Statements, func(s scenario.Statement) bool { return s.Verb == scenario.Search })
}

// Crash is one death in a scenario: at a node's commit of that number, counted from the start.
type Crash struct {
	Node   int
	Commit int
	How    when
	Kept   bool // inside a write: the disk has the batch
}

func (c Crash) String() string {
	return fmt.Sprintf("a death of %c %v, commit %d", 'a'+c.Node, c.How, c.Commit)
}

// Crashes are the deaths before and after each write of each node, as a plain run of that seed has them; every one of so
// many where they are too many.
func (p *Play) Crashes(seed uint64, every int) []Crash {
	w, _ := p.Run(seed)
	var all []Crash
	for i, n := range w.Nodes {
		for commit := 1; commit <= n.commits; commit += max(every, 1) {
			all = append(all, Crash{i, commit, beforeWrite, false}, Crash{i, commit, insideWrite, commit%2 == 0}, Crash{i, commit, afterWrite, false}, Crash{i, commit, insideSends, false})
		}
	}
	return all
}

// RunCrashed plays it with one death more. What was expected of single messages may change then; the outcome may not.
func (p *Play) RunCrashed(seed uint64, c Crash) (*World, *Failure) { return p.run(seed, &c) }

// player is one run of a play.
type player struct {
	w       *World
	f       *scenario.File
	crash   *Crash
	t0      int64
	labels  map[string]int64 // node -> what to add to a label for its request's id
	orders  map[*Node][]func()
	durable map[*Node]int // orders of which the journal knows
	trace   trace
	held    map[*rule][]*message
	probe   map[string]time.Duration // node -> when it asks for a sign of life
	before  map[*Node]reducer.State  // at t0
}

// quietFor is how long a scenario goes on after its last statement before the network heals: longer than a request is
// repeated.
const quietFor = 11 * time.Minute

func (p *Play) run(seed uint64, crash *Crash) (*World, *Failure) {
	pl := &player{w: newWorld(seed, Faults{}, 2), f: p.file, crash: crash, labels: map[string]int64{}, orders: map[*Node][]func(){},
		durable: map[*Node]int{}, trace: newTrace(), held: map[*rule][]*message{}, probe: map[string]time.Duration{}, before: map[*Node]reducer.State{}}
	w := pl.w
	w.Tally.Seeds = 1
	pl.prepare()
	for _, n := range w.Nodes {
		n.start()
	}
	if pl.setUp() {
		pl.stage()
		last := pl.perform()
		if w.run(pl.t0+int64(last+quietFor), nil) {
			pl.end()
		}
	}
	w.close()
	return w, w.wrong
}

// end heals the network and looks: both ends agree, what was expected came true, and once all is closed nothing is left.
func (pl *player) end() {
	w := pl.w
	w.heal()
	w.network.rules = nil
	if pl.scripted() {
		pl.node("P").stop() // its daemon knows nothing of what was said in its name
	}
	if !w.agreed() {
		return
	}
	pl.judge()
	w.closeAll()
	if w.until(patience, "SHU-08", w.leftover) {
		w.finish()
	}
}

// speaks reports whether P says something behind its daemon's back: what begins an SA its daemon says.
func speaks(s *scenario.Statement) bool {
	return s.Verb == scenario.Sends && s.Node == "P" && !s.Msg.Response && !strings.HasPrefix(s.Msg.What, "INIT")
}

// scripted reports whether a node plays the wrong half.
func (pl *player) scripted() bool {
	for i := range pl.f.Statements {
		if s := &pl.f.Statements[i]; speaks(s) {
			return true
		}
	}
	return false
}

// node is the one of that name: A is the first; B, or P where there is no B, the second.
func (pl *player) node(name string) *Node {
	if name == "A" {
		return pl.w.Nodes[0]
	}
	return pl.w.Nodes[1]
}

// nodes are the one of that name, or both.
func (pl *player) nodes(name string) []*Node {
	if name == "both" {
		return pl.w.Nodes
	}
	return []*Node{pl.node(name)}
}

func (pl *player) name(n *Node) string {
	if n == pl.w.Nodes[0] {
		return "A"
	}
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		if s.Node == "P" && s.Verb != scenario.Raw || s.Msg.Sender == "P" {
			return "P"
		}
	}
	return "B"
}

// find is the first statement with that verb.
func (pl *player) find(verb scenario.Verb) *scenario.Statement {
	for i := range pl.f.Statements {
		if pl.f.Statements[i].Verb == verb {
			return &pl.f.Statements[i]
		}
	}
	return nil
}

// setUp has the SAs up that the scenario begins with: one, unless it says how many.
func (pl *player) setUp() bool {
	w, a := pl.w, pl.w.Nodes[0]
	w.watch = pl.record
	w.started = pl.again
	w.network.seen = pl.sent
	want := 1
	if s := pl.find(scenario.SAs); s != nil {
		want = s.Count
	}
	if s := pl.find(scenario.SetUps); s != nil {
		want = 0
	}
	for i := range want {
		pl.order(a, func() { a.initiate(connectionName(i)) })
	}
	if want == 0 {
		pl.t0 = w.now + int64(time.Second)
		return w.run(pl.t0, nil)
	}
	up := func() (*Node, string) {
		for _, n := range w.Nodes {
			count := 0
			for _, sa := range living(n.state()) {
				if sa.Phase == reducer.Established && len(sa.Children) == 1 && sa.Children[0].Phase == reducer.Installed {
					count++
				}
			}
			if count < want {
				return n, fmt.Sprintf("only %d of %d SAs are up", count, want)
			}
		}
		return nil, ""
	}
	for end := w.now + int64(10*time.Minute); w.now < end; {
		if _, what := up(); what == "" {
			break
		}
		if !w.run(w.now+int64(20*time.Millisecond), nil) {
			return false
		}
	}
	n, what := up()
	if what != "" {
		w.fail("COL-07", n, "%s", what)
		return false
	}
	pl.t0 = w.now + int64(time.Second)
	for name := range pl.probe {
		pl.t0 = living(pl.node(name).state())[0].LastHeard + int64(time.Second)
	}
	return w.run(pl.t0, nil)
}

func connectionName(i int) string { return fmt.Sprintf("c%d", i+1) }

// order has a node's operator do something, and do it again where the node died before its journal knew of it.
func (pl *player) order(n *Node, do func()) {
	pl.orders[n] = append(pl.orders[n], do)
	if n.up() {
		do()
	}
}

// again is told that a node has come back.
func (pl *player) again(n *Node) {
	for _, do := range pl.orders[n][min(pl.durable[n], len(pl.orders[n])):] {
		do()
	}
}

// record is told of each record that is durable.
func (pl *player) record(n *Node, r *record.Record) {
	ev := r.GetEvent()
	if ev.GetBecause().GetRoot() == record.Root_ROOT_OPERATOR && ev.GetRunEnded() == nil {
		pl.durable[n]++
	}
	pl.trace.record(pl, n, r)
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		if s.Verb == scenario.Crash && s.Msg.Sender != "" && s.Word == "" && pl.node(s.Node) == n && pl.records(n, r, s.Msg) && !pl.trace.crashed[i] {
			pl.trace.crashed[i] = true
			n.death = death{commit: n.commits, how: afterWrite}
			n.back = pl.backAfter()
		}
	}
}

// records reports whether the record makes that message.
func (pl *player) records(n *Node, r *record.Record, want scenario.Message) bool {
	for _, e := range r.GetEffects() {
		if m := e.GetRecord(); m != nil && m.GetResponse() == want.Response && int64(m.GetMessageId()) == pl.id(want) && pl.t0 != 0 {
			return true
		}
	}
	return false
}
