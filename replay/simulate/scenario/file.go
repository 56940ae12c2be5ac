package scenario

import "time"

// File is a scenario.
type File struct {
	Title      string // of its first comment
	Statements []Statement
	Expected   []string // E: in words
	Checks     []Check
}

// Statement is one thing that happens, or is laid down.
type Statement struct {
	Line   int
	Text   string // as it stands
	At     time.Duration
	Timed  bool // it says its time
	Verb   Verb
	Node   string // A, B, P; both: of part, or each
	Other  string // the other node of a part
	Msg    Message
	Second Message       // of swap, and of two that cross
	Count  int           // copies, SAs, children, set-ups
	Share  float64       // of all datagrams
	From   time.Duration // of a part
	Until  time.Duration // of a part, 0: for ever; how long of hold and slow
	Word   string        // what else it says: the order, the setting, the completion, the kernel's request
	Rest   string        // behind that word
}

// Verb is what a statement does.
type Verb string

// The verbs.
const (
	Sends    Verb = "sends"    // Node sends Msg; Word "lost", "cross" with Second, or nothing
	Lose     Verb = "lose"     // the first Count copies of Msg; or Share of all
	Hold     Verb = "hold"     // Msg for Until
	Dup      Verb = "dup"      // Msg twice
	Swap     Verb = "swap"     // Msg after Second
	Batch    Verb = "batch"    // Msg and Second arrive in one batch
	Part     Verb = "part"     // Node and Other, From to Until
	Crash    Verb = "crash"    // Node, at At, or after the record of Msg; Word "+bytes": inside the write
	Recover  Verb = "recover"  // whoever is down
	Slow     Verb = "slow"     // Node's completion Word by Until
	Fail     Verb = "fail"     // Node's kernel refuses Word
	Command  Verb = "cmd"      // Node's operator orders Word Rest
	Quiet    Verb = "quiet"    // all timers run out
	Settings Verb = "config"   // Word = Rest
	Creds    Verb = "creds"    // Node: Word
	SAs      Verb = "SAs"      // Count of them
	Children Verb = "children" // Count of them
	SetUps   Verb = "set-ups"  // Count of them in flight
	Wish     Verb = "intent"   // Node wants Word
	Address  Verb = "addr"     // Node changes its address
	Raw      Verb = "raw"      // Node sends Count of clear or forged datagrams: Word
	Seed     Verb = "seed"     // not a story but a seed, Count, of which only some may happen: Rest is how it is played
	Only     Verb = "only"     // one thing of a seed that may happen: Rest
	Search   Verb = "search"   // all interleavings of two set-ups, with up to Count losses
	Expire   Verb = "expire"   // a lifetime of Word at Node
	Acquire  Verb = "acquire"  // traffic asks for Word at Node
)

// Message names one message: Sender>q5 is its request 5, Sender>r5 its response to request 5 of the peer.
type Message struct {
	Sender   string
	Response bool
	ID       uint32
	What     string // INF, D(ike), CCSA(rekey c1), N(x) ..., as it stands
	Note     string // (probe)
}

// Check is what must hold in the end.
type Check struct {
	Line  int
	Text  string // as it stands
	Plain bool   // it is true only where nobody dies but who the scenario says: `check plain`
	Node  string
	Kind  string // "copies", "gone", "up", "children", "after", "gaps", "report", "exit", "requests", "has"
	Msg   Message
	Other Message
	Op    string // = >= <=
	Count int
	Word  string
	Least time.Duration
	Most  time.Duration
}

// Needs is what the file asks for that this version of the daemon cannot do; empty: it can be played.
func (f *File) Needs() string {
	for i := range f.Statements {
		s := &f.Statements[i]
		switch s.Verb {
		case Address, Expire, Acquire:
			return string(s.Verb)
		case Wish:
			if s.Word != "liveness" {
				return "intent " + s.Word
			}
		}
		for _, m := range []Message{s.Msg, s.Second} {
			if s.Node != "P" && len(m.What) >= 4 && m.What[:4] == "CCSA" {
				return "CREATE_CHILD_SA"
			}
		}
	}
	return ""
}
