package audit

import (
	"github.com/ikejd/ikejd/proto/record"
)

// journal is what the rules know of the journal as a whole: a few numbers, and sets that are bounded by the table.
type journal struct {
	fromStart bool // seen from step 1 on, or from a snapshot on
	excerpt   bool // records were left out on purpose
	first     uint64
	began     int64 // time of the first record
	step      uint64
	time      int64
	run       uint64
	runStep   uint64
	runsKnown bool
	ended     bool // the run has ended
	settings  *record.Settings

	live      int64 // IKE SAs in the journal's State
	halfOpen  int64 // of them, as responder, not authenticated
	order     shutdown
	keys      map[uint64]uint64 // live KeyRef to SA
	childSPIs map[uint32]uint64 // inbound SPI to child
	spis      spiSet
	edges     edgeRing
	asks      []ask // of effects about no SA
	strangers strangerState
	sources   sources
	pairs     pairs
	pace      paceState
	takenOver bool // the record at hand is a Recovered

	encodedSeen, reencoded bool
}

// shutdown is the order that ends a run.
type shutdown struct {
	on, reported bool
	step         uint64
	began, ends  int64
	keep         bool
	liveAt       int64
	tally        [causes]uint64 // ends since the order
	late         bool
}

const causes = int(record.Cause_CAUSE_NOT_RECOVERED) + 1

// mostJournalAsks is AUDIT.md's bound for what waits for an answer outside any SA.
const mostJournalAsks = 1024

func (j *journal) init() {
	if j.keys == nil {
		j.keys, j.childSPIs = map[uint64]uint64{}, map[uint32]uint64{}
	}
}

func (j *journal) startFrom(s *record.Snapshot) {
	j.init()
	j.fromStart = true
	j.step, j.time, j.run, j.runsKnown = s.GetStep(), int64(s.GetTime()), s.GetRun(), true
	j.live, j.halfOpen = int64(len(s.GetIkeSas())), int64(s.GetHalfOpen())
	if s.GetConfig() != nil {
		j.settings = s.GetConfig().GetSettings()
	}
	if e := s.GetEnding(); e != nil {
		j.order = shutdown{on: true, reported: e.GetReported(), step: e.GetStep(), began: int64(e.GetBegan()), ends: int64(e.GetDeadline()),
			keep: e.GetKeep(), liveAt: j.live}
		for _, c := range e.GetCounts() {
			if int(c.GetCause()) < causes && c.GetCause() >= 0 {
				j.order.tally[c.GetCause()] = c.GetCount()
			}
		}
	}
}

// event is what happened, for the journal as a whole.
func (j *journal) event(n *now) {
	j.init()
	if j.first == 0 {
		j.first, j.began = n.step, n.time
		j.fromStart = j.fromStart || n.step == 1
	}
	j.takenOver = false
	switch k := n.ev.GetKind().(type) {
	case *record.Event_Started:
		j.begin(n, k.Started.GetRun())
		j.live, j.halfOpen = 0, 0
	case *record.Event_Recovered:
		j.begin(n, k.Recovered.GetRun())
		j.takenOver = true
	case *record.Event_ConfigLoaded:
		j.settings = k.ConfigLoaded.GetConfig().GetSettings()
		if j.settings == nil {
			j.settings = &record.Settings{}
		}
	case *record.Event_ShutdownAsked:
		if n.acted() && !j.order.on {
			j.order = shutdown{on: true, step: n.step, began: n.time, ends: n.time + int64(k.ShutdownAsked.GetBudget()), keep: k.ShutdownAsked.GetKeep(), liveAt: j.live}
		}
	}
	if n.ev.GetBecause().GetEdge() == record.Edge_EDGE_ANSWERS {
		at := refOf(n.ev.GetBecause())
		j.asks = without(j.asks, func(a *ask) bool { return a.at == at })
	}
}

// begin is a new run of the daemon: what the run before waited for it waits for no more.
func (j *journal) begin(n *now, run uint64) {
	j.run, j.runStep, j.runsKnown = run, n.step, true
	j.order = shutdown{}
	j.asks = j.asks[:0]
}

func (j *journal) effect(n *now, e *record.Effect) {
	switch k := e.GetKind().(type) {
	case *record.Effect_Locate:
		j.asks = bounded(j.asks, ask{at: ref{n.step, n.index}, kind: askLocate}, mostJournalAsks)
	case *record.Effect_Changed:
		if e.GetChildSa() == 0 {
			j.phases(n, e.GetIkeSa(), k.Changed)
		}
	case *record.Effect_Discarded:
		j.live--
		if j.order.on {
			if c := k.Discarded.GetCause(); c >= 0 && int(c) < causes {
				j.order.tally[c]++
			}
		}
	case *record.Effect_Report:
		j.order.reported = true
	}
}

// phases counts SAs; half-open ones are those of peers that have not proved themselves.
func (j *journal) phases(n *now, number uint64, c *record.Changed) {
	s := n.a.table.find(number)
	asked := s != nil && s.role == responder
	if c.GetFrom() == record.Phase_PHASE_NONE {
		j.live++
		if asked {
			j.halfOpen++
		}
	}
	if c.GetFrom() == record.Phase_PHASE_HALF_OPEN && asked {
		j.halfOpen--
	}
}

func (j *journal) after(n *now) { j.edges.add(n.r) }

// settle makes the record at hand the last one.
func (j *journal) settle(n *now) {
	j.step, j.time = n.step, max(j.time, n.time)
	switch n.ev.GetKind().(type) {
	case *record.Event_RunEnded:
		j.ended = true
	case *record.Event_Started, *record.Event_Recovered:
		j.ended = false
	}
}

func (j *journal) useChildSPI(spi uint32, child uint64) {
	if spi != 0 && len(j.childSPIs) < 2*MaxSAs {
		if _, taken := j.childSPIs[spi]; !taken {
			j.childSPIs[spi] = child
		}
	}
}

func (j *journal) freeChildSPI(spi uint32, child uint64) {
	if j.childSPIs[spi] == child {
		delete(j.childSPIs, spi)
	}
}

// retransmitSends is how often a request is sent before it is given up (PROTOCOL.md W-15).
func (j *journal) retransmitSends() uint32 { return orDefault(j.settings.GetRetransmitSends(), 12) }

func orDefault[T ~uint32 | ~uint64](v, usual T) T {
	if v == 0 {
		return usual
	}
	return v
}

// identityOf is a digest of whom an SA is with: the connection and the peer's identity.
func identityOf(c *record.Changed) uint64 {
	name := append([]byte(c.GetConnection()), 0, byte(c.GetRemoteId().GetType()))
	return digestOf(append(name, c.GetRemoteId().GetData()...)).short()
}
