package reducer

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// benchSAs is how many SAs the State of a benchmark has.
const benchSAs = 100_000

// herd is a State full of copies of one SA that a script has set up, each with a number, SPIs and keys of its own.
func herd(b testing.TB, place string, n int) State {
	s := newScript(b)
	must(b, s.config(nil, `
connection gw local=192.0.2.1 id=west.example ike=20/256-prf5-ke31 dpd=30s
child net local=10.1.0.0/16 remote=10.2.0.0/16 esp=20/256
`))
	must(b, s.given([]string{place}, ""))
	state := s.n.s
	model := state.SA(1)
	for i := uint64(1); i <= uint64(n); i++ {
		sa := copied(model)
		sa.Number, sa.SPIi, sa.SPIr, sa.KeyRef = i, 0xbb<<56|i, 0xaa<<56|i, i
		state.sas = state.sas.put(i, sa, 1)
	}
	state.nextIKE = uint64(n) + 1
	return state
}

// copied is sa with nothing shared but what SAs do share: the strings of the configuration.
func copied(sa *IKESA) *IKESA {
	r := saTo(sa)
	return saFrom(r)
}

// BenchmarkReduce is a steady state: 100,000 SAs whose peers are asked and ask for signs of life; one request in eight is
// sent twice. Events are made beforehand, as a decoder would; batches of that many share the nodes they copy.
func BenchmarkReduce(b *testing.B) {
	for _, batch := range []int{1, 256, 1024} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			m := newMix(herd(b, "established", benchSAs))
			b.ReportAllocs()
			runtime.GC()
			b.ResetTimer()
			before := cpuTime(b)
			for range b.N {
				m.event(batch)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.N)/(cpuTime(b)-before), "events/cpu-s")
		})
	}
}

// BenchmarkReduceFloor is what no State can do without: find the SA, make a changed copy, and keep it, in a slice that
// forgets the old one. Where the machine is busy the ratio to it is worth more than a number of its own.
func BenchmarkReduceFloor(b *testing.B) {
	s := herd(b, "established", benchSAs)
	all := make([]*IKESA, benchSAs+1)
	s.EachSA(0, func(sa *IKESA) bool {
		all[sa.Number] = sa
		return true
	})
	random := rand.New(rand.NewPCG(1, 2))
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for i := range b.N {
		number := random.Uint64N(benchSAs) + 1
		changed := *all[number]
		changed.LastHeard = int64(i)
		all[number] = &changed
	}
	b.ReportMetric(float64(b.N)/(cpuTime(b)-before), "events/cpu-s")
}

// cpuTime is the seconds this process has worked, garbage collection included: what counts where others use the machine.
func cpuTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// mix makes the events of a steady state, each fitting the State of its moment.
type mix struct {
	s       State
	batch   *Batch
	left    int
	now     int64
	random  *rand.Rand
	effects []Effect
	sa      uint64
	turn    int
	fired   record.Event
	timer   record.TimerFired
	in      record.Event
	packet  record.DatagramReceived
	because record.Because
	header  []byte
}

func newMix(s State) *mix {
	m := &mix{s: s, now: s.time + minute, random: rand.New(rand.NewPCG(1, 2))}
	m.fired = record.Event{Because: &m.because, Kind: &record.Event_TimerFired{TimerFired: &m.timer}}
	m.packet = record.DatagramReceived{Path: PathRecord(Path{usualLocal, usualRemote})}
	m.in = record.Event{Because: &m.because, Kind: &record.Event_DatagramReceived{DatagramReceived: &m.packet}}
	return m
}

// event reduces the next one: of any SA in turn the liveness timer, maybe a retransmission, the answer, and a request of
// the peer.
func (m *mix) event(size int) {
	if m.left == 0 {
		if m.batch != nil {
			m.s = m.batch.State()
		}
		m.batch, m.left = Begin(m.s), size
		m.effects = m.effects[:0]
	}
	m.left--
	m.now += 1000
	var ev *record.Event
	switch m.turn {
	case 0:
		m.sa = m.random.Uint64N(benchSAs) + 1
		sa := m.batch.SA(m.sa)
		armed, _ := sa.timer(livenessTimer)
		m.now = max(m.now, sa.LastHeard+30*second)
		ev = m.timerOf(livenessTimer, armed.Set, 0)
		m.turn = 2
		if m.random.Uint32N(8) == 0 {
			m.turn = 1
		}
	case 1:
		open := m.batch.SA(m.sa).Window.InFlight[0]
		ev = m.timerOf(retransmitTimer, open.Timer.Set, open.ID)
		m.turn = 2
	case 2:
		ev = m.message(m.batch.SA(m.sa), m.batch.SA(m.sa).Window.InFlight[0].ID, true)
		m.turn = 3
	case 3:
		sa := m.batch.SA(m.random.Uint64N(benchSAs) + 1)
		ev = m.message(sa, sa.Window.NextIn, false)
		m.turn = 0
	}
	m.effects = m.batch.Reduce(m.now, ev, m.effects)
}

func (m *mix) timerOf(kind TimerKind, set Ref, id uint32) *record.Event {
	m.fired.IkeSa, m.timer.Timer, m.timer.MessageId = m.sa, record.Timer(kind), id
	m.because.Edge, m.because.Step, m.because.Index, m.because.Root = record.Edge_EDGE_FIRES, set.Step, set.Index, 0
	return &m.fired
}

func (m *mix) message(sa *IKESA, id uint32, response bool) *record.Event {
	h := ike.Header{SPIi: sa.SPIi, SPIr: sa.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, MessageID: id, Length: ike.HeaderLen}
	if !sa.Initiator {
		h.Flags |= ike.FlagInitiator
	}
	if response {
		h.Flags |= ike.FlagResponse
	}
	m.header = h.Append(m.header[:0])
	m.in.IkeSa, m.packet.Datagram = sa.Number, m.header
	m.because.Edge, m.because.Step, m.because.Root = record.Edge_EDGE_ROOT, 0, record.Root_ROOT_PEER
	return &m.in
}

// BenchmarkAppendRecord writes the records of that mix.
func BenchmarkAppendRecord(b *testing.B) {
	m := newMix(herd(b, "established", 1000))
	m.random = rand.New(rand.NewPCG(3, 4))
	s := newScript(b)
	must(b, s.given([]string{"established"}, ""))
	effects, _ := s.n.take(&record.Event{IkeSa: 1, Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}})
	ev := m.message(m.s.SA(1), 0, false)
	sealed := sealedOf(effects)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = AppendRecord(out[:0], 7, epoch, ev, effects, sealed); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}

// BenchmarkMemory is what an SA holds in the State, live: established with one child, and half-open as responder
// (PROTOCOL.md, K-01: at most 2 KiB with all that is beside the State).
func BenchmarkMemory(b *testing.B) {
	for _, place := range []string{"established", "half-open"} {
		b.Run(place, func(b *testing.B) {
			for range b.N {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				s := herd(b, place, benchSAs)
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/benchSAs, "B/SA")
				runtime.KeepAlive(s)
			}
		})
	}
}

// BenchmarkAllAtOnce are the steps that touch every SA: taking over 100,000 of them, and the end of a shutdown's budget.
func BenchmarkAllAtOnce(b *testing.B) {
	for _, c := range []struct {
		name  string
		event func(s State) (State, *record.Event)
	}{
		{"recovered", func(s State) (State, *record.Event) {
			return s, &record.Event{Because: root(record.Root_ROOT_START), Kind: &record.Event_Recovered{Recovered: &record.Recovered{Run: 2}}}
		}},
		{"cut off", func(s State) (State, *record.Event) {
			s, _ = Reduce(s, s.time, shutdownOf(), nil)
			set := s.ending.Timer.Set
			s.time = s.ending.Deadline
			return s, &record.Event{Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: set.Step, Index: set.Index},
				Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer_TIMER_SHUTDOWN}}}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, ev := c.event(herd(b, "established", benchSAs))
			var effects []Effect
			b.ReportAllocs()
			for b.Loop() {
				_, effects = Reduce(s, s.time, ev, effects[:0])
			}
			b.ReportMetric(float64(len(effects)), "effects")
		})
	}
}
