package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// State is everything the daemon knows, as of one step. It is a value: Reduce returns a new one, the old one stays good.
//
// What can be derived from it (indexes by SPI and address, the timer heap, the datagrams to resend) lives beside it, in
// effects/engine.
type State struct {
	step      uint64 // of the last event reduced
	time      int64  // of that event, UTC nanoseconds; never runs back
	run       uint64 // this life of the daemon
	nextIKE   uint64 // number of the next IKE SA
	nextChild uint64
	halfOpen  int // responder SAs that are HalfOpen (PROTOCOL.md, K-06)
	sas       trie[IKESA]
	config    *Config
	waits     []ConnectionWait // connections that try again, in the order of their tries
	nextWait  uint32
	ending    *Ending // a shutdown under way
}

// New is the State before the first event.
func New() State { return State{nextIKE: 1, nextChild: 1, config: &Config{Settings: Defaults}} }

// Step is the number of the last event reduced; 0 before the first.
func (s State) Step() uint64 { return s.step }

// Time is the time of the last event, UTC nanoseconds.
func (s State) Time() int64 { return s.time }

// Run is the number of this life of the daemon.
func (s State) Run() uint64 { return s.run }

// SA is IKE SA number; nil when there is none. The SA belongs to the State and is not to be written.
func (s State) SA(number uint64) *IKESA { return s.sas.get(number) }

// SAs is how many IKE SAs there are, in whatever phase.
func (s State) SAs() int { return s.sas.count }

// HalfOpen is how many IKE SAs peers have begun and not authenticated.
func (s State) HalfOpen() int { return s.halfOpen }

// EachSA visits the IKE SAs from number least on, in order, until visit says false.
func (s State) EachSA(least uint64, visit func(*IKESA) bool) {
	s.sas.from(least, func(_ uint64, sa *IKESA) bool { return visit(sa) })
}

// Config is the configuration in force.
func (s State) Config() *Config { return s.config }

// Ending is the shutdown under way, or nil.
func (s State) Ending() *Ending { return s.ending }

// IKESA is one IKE SA. Reducer code copies it, changes the copy and puts it; a value that was put is never written, nor
// is any slice it holds.
type IKESA struct {
	Number     uint64
	Connection string // name in the configuration
	SPIi, SPIr uint64 // SPIr is 0 until the responder has named it
	Initiator  bool   // we are the original initiator (section 2.2)
	Phase      Phase
	Cause      Cause // why it is Deleting, Lingering
	Detail     string
	Decided    Because // what decided Cause

	Path                Path
	LocalNAT, RemoteNAT bool // section 2.23: which end is behind a NAT
	Suite               Suite
	KeyRef              uint64 // names the secrets in the keyring; 0 before there are any and after they were destroyed
	LocalID, RemoteID   Identity

	Window   Window
	Children []ChildSA
	SetUp    *SetUp     // until IKE_AUTH is complete
	Making   []Creation // CREATE_CHILD_SA exchanges of ours that are not complete
	Serving  *Creation  // the peer's
	Timers   []ArmedTimer

	Created, Established int64
	LastHeard            int64 // last fresh authentic message of the peer
	RTT                  int64 // smoothed; 0: none measured
	Ticket               uint64
	CreatedStep          uint64
	LingerBegan          int64
	LowestNonce          []byte // of its IKE_SA_INIT, once it is up and where `unique` is set (PROTOCOL.md, C-41)
	Hinted               int64  // when a hint last made us ask for a sign of life; 0: none did
	LingerGap            int64  // the peer's last seen retransmission interval (PROTOCOL.md, D-20)

	Successor    uint64 // Rekeyed: the IKE SA that has its place
	Refusals     uint32 // TEMPORARY_FAILUREs to its rekeying in a row, and since when
	RefusedSince int64
}

// ChildSA is one Child SA: a pair of ESP SAs.
type ChildSA struct {
	Number                  uint64
	Name                    string
	Phase                   ChildPhase
	Protocol                ike.ProtocolID
	InboundSPI, OutboundSPI uint32
	Suite                   Suite
	Initiator               bool // we started the exchange that made it
	TransportMode           bool
	LocalTS, RemoteTS       []ike.Selector
	Installed               int64
	OutboundGone            bool // the peer deleted it, our inbound half waits for the response (PROTOCOL.md, D-08)
	CreatedStep             uint64
	Ticket                  uint64
	Asked                   Ref    // the InstallChild or AllocateSPI that is not answered yet
	Path                    Path   // of the IKE SA when it was installed: the kernel knows it by these addresses
	Ni, Nr                  []byte // until it is installed: what its keys come of
	ShareRef                uint64 // until it is installed: the key exchange it had of its own, or 0
	PeerPublic              []byte // with it: the peer's half
	Timer                   ArmedTimer
	LifeEnds                int64  // its hard end; 0: none
	ReplacedBy              uint64 // Rekeyed: the Child SA that has its place
	Refusals                uint32 // TEMPORARY_FAILUREs to its rekeying in a row, and since when
	RefusedSince            int64
}

// Suite is one choice out of a proposal. Of an ESP suite PRF is 0.
type Suite struct {
	Encr            uint16
	KeyLength       uint16 // bits; 0: the algorithm has one length
	PRF             uint16
	Integ           uint16
	Group           ike.Group
	SequenceNumbers uint16
}

// Identity is an IDi or IDr payload: type and data (section 3.5). Type 0 is no identity, or any.
type Identity struct {
	Type ike.IDType
	Data string
}

// ArmedTimer is a timer that is set, and the effect that set it.
type ArmedTimer struct {
	Kind     TimerKind
	Deadline int64
	Set      Ref
}

// ConnectionWait is a connection that is wanted up and will be tried again.
type ConnectionWait struct {
	ID    uint32 // names its timer
	Name  string
	Child string
	Tries uint32
	Timer ArmedTimer
}

// Step is one call of Reduce: see Batch.
//
// Reduce is the pure function of DESIGN.md: it gives the State after ev and appends the effects ev ordered to effects.
// It panics on a broken invariant; s is untouched then.
func Reduce(s State, now int64, ev *record.Event, effects []Effect) (State, []Effect) {
	b := Begin(s)
	effects = b.Reduce(now, ev, effects)
	return b.State(), effects
}

// Batch reduces many events one after the other and shares the copies it makes of the State's nodes. Nobody sees a
// half-done step: what a step changed is put at its end.
type Batch struct {
	s       State
	stamp   uint64
	changed []uint64 // IKE SAs put by the last step
	t       step
}

// Begin starts a batch from s.
func Begin(s State) *Batch { return &Batch{s: s, stamp: s.step + 1} }

// State is the State after the events so far. The batch must not be used again for the result to stay good.
func (b *Batch) State() State { return b.s }

// SA is IKE SA number as it is in the batch.
func (b *Batch) SA(number uint64) *IKESA { return b.s.sas.get(number) }

// Changed are the numbers of the IKE SAs the last step made, changed or took away; good until the next Reduce.
func (b *Batch) Changed() []uint64 { return b.changed }

// Reduce takes one step: now is the event's time, not below that of the event before. A panic leaves the batch as it was.
func (b *Batch) Reduce(now int64, ev *record.Event, effects []Effect) []Effect {
	t := &b.t
	t.begin(b.s, now, ev, effects)
	t.dispatch()
	t.endingCheck()
	b.s = t.finish(b.stamp)
	b.changed = b.changed[:0]
	for i := range t.puts {
		b.changed = append(b.changed, t.puts[i].number)
	}
	return t.effects
}
