package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// How much an entry keeps, so that it is at most 4 KiB. Of an SA that has more at a time what is found is inconclusive.
const (
	mostOpen     = 6  // requests of ours in flight
	mostAnswered = 4  // last responses of ours
	mostChildren = 16 // Child SAs
	mostWishes   = 8  // intents in the queue
	mostAsks     = 8  // effects that wait for a completion
)

// ikeSA is what the rules know of one IKE SA: recomputed from what was sent and received, but for the phases, which are
// the journal's own claim. It is at most 4 KiB.
type ikeSA struct {
	number       uint64
	newer, older *ikeSA // neighbours by the time they were last touched
	touched      int64

	partial          bool // records of its life are missing
	bornNow          bool // by the record at hand
	endedNow         bool
	told             [3]uint64 // rules that said once what they say once
	role             role
	spiI, spiR       uint64
	peer             uint64 // digest of its identities
	aead             bool   // 8 octets of explicit IV after the SK header
	phase            record.Phase
	phaseAt          int64
	phaseStep        uint64
	cause            record.Cause
	born, ended      int64
	bornStep         uint64
	endStep          uint64
	established      int64
	acrossRun        bool // since our last new request the daemon was started again
	lastRun          int64
	sentAt           int64  // last message of ours
	lastOut          uint64 // step whose message was last seen on the wire
	deathsNow        uint8  // changes to Lingering or Discarded in the record at hand
	askedAgain       uint16
	lostAsks         uint16 // kinds of asks that were open when the run before ended
	window           uint32 // granted by the peer
	usedWindow       int    // most that were in flight at once
	ownWindow        uint32 // announced by us
	sentAny, heardIn bool
	nextOut          uint64 // id of our next request; over 32 bits where ids are at their end
	nextIn           uint32 // id of the peer's next request
	open             []request
	answered         []response
	asked            inbound // a request of the peer that is not answered yet
	done             finished
	children         []child
	wishes           []wish
	asks             []ask
	timers           [timerKinds]armed
	heard            int64 // last authentic fresh message of the peer
	heardRequest     int64
	path             path // of our last request
	fresh            path // where the newest request of the peer came from
	first            path // of the first message
	keyRef           uint64
	next             []agreed // what rekeying it has agreed on, by either end
	successor        *ikeSA   // that has its children
	destroyed        []uint64

	init    initState
	auth    authState
	closing closingState
	deletes childDeleteState
	agreed  uint64     // SPIr of the responder that keys were agreed with last
	ivs     [2]ivState // of requests and of responses of ours
	nat     bool
}

type role uint8

const (
	unknownRole role = iota
	initiator
	responder
)

// request is one of ours that is unanswered.
type request struct {
	id              uint32
	exchange        ike.ExchangeType
	wish            record.Wish
	sends           uint32
	digest          digest
	of              ref
	sent, last, gap int64
	timer           armed
	ikeDelete       bool
	childDelete     bool
	empty           bool
	refusal         bool // an error notify that ends the SA at its sender (PROTOCOL.md D-25)
	path            path
	run             uint32 // in which it was sent last
	afterOrder      bool   // it was sent last after a shutdown was ordered
}

// response is one of ours that the peer may ask for again.
type response struct {
	id          uint32
	exchange    ike.ExchangeType
	request     uint64 // short digest of what it answers
	requestSize int
	digest      digest
	of          ref
	came, went  uint32 // copies of the request, copies of the response
	size        int
}

// inbound is a request of the peer that was taken and has no response yet.
type inbound struct {
	there     bool
	id        uint32
	exchange  ike.ExchangeType
	short     uint64
	size      int
	step      uint64
	path      path
	ikeDelete bool
	spis      bool
}

// finished is our last request that was answered.
type finished struct {
	there, childDelete bool
	id                 uint32
	at, rtt            int64
	step               uint64
	sends              uint32
	ikeDelete, refusal bool
}

// child is a Child SA: SPIs, what the journal says of it, and which halves the kernel has.
type child struct {
	number            uint64
	in, out           uint32
	phase             record.ChildPhase
	hasIn, hasOut     bool // in the kernel, by completions and orders
	reserved          bool // an SPI without a state
	deleted           bool // our Delete for it was recorded
	deleteID          uint32
	answered          bool // that Delete was answered
	peerDeleted       bool
	refused           bool // the kernel refused it
	replaced          bool // another has its place: it may go without a Delete (PROTOCOL.md D-18)
	halfSince         int64
	earlyIn, earlyOut bool // half removed in the record at hand
	removed           bool // removal was ordered
	peerNow           bool // the peer's Delete for it came in the record at hand
}

// wish is an intent in the window's queue.
type wish struct {
	wish    record.Wish
	passed  bool // one that was wanted later has left before it
	child   uint64
	at      ref
	decided uint64
	time    int64
}

// ask is an effect that a completion will answer.
type ask struct {
	at    ref
	kind  askKind
	child uint64
}

type askKind uint8

const (
	askShare askKind = iota
	askAgree
	askMake
	askCheck
	askSPI
	askInstall
	askRemove
	askLocate
)

func (k askKind) String() string {
	return [...]string{"make-share", "agree", "make-auth", "check-auth", "allocate-spi", "install-child", "remove-child", "locate"}[k]
}

// armed is a timer that runs.
type armed struct {
	on       bool
	deadline int64
	at       ref
}

const timerKinds = int(record.Timer_TIMER_LIFE) + 1

// alive reports whether the SA has not ended yet.
func (s *ikeSA) alive() bool { return s.ended == 0 && s.phase != record.Phase_PHASE_DISCARDED }

// up reports whether both ends have proved who they are, and the SA is not at its end.
func (s *ikeSA) up() bool {
	return s.phase == record.Phase_PHASE_ESTABLISHED || s.phase == record.Phase_PHASE_DELETING
}

func (s *ikeSA) request(id uint32) *request {
	for i := range s.open {
		if s.open[i].id == id {
			return &s.open[i]
		}
	}
	return nil
}

func (s *ikeSA) response(id uint32) *response {
	for i := range s.answered {
		if s.answered[i].id == id {
			return &s.answered[i]
		}
	}
	return nil
}

func (s *ikeSA) child(number uint64) *child {
	for i := range s.children {
		if s.children[i].number == number {
			return &s.children[i]
		}
	}
	return nil
}

func (s *ikeSA) wishAt(at ref) *wish {
	for i := range s.wishes {
		if s.wishes[i].at == at {
			return &s.wishes[i]
		}
	}
	return nil
}

// bounded appends v and forgets the oldest when there are more than most.
func bounded[T any](list []T, v T, most int) []T {
	if len(list) < most {
		return append(list, v)
	}
	copy(list, list[1:])
	list[len(list)-1] = v
	return list
}

// keep is bounded for what rules need whole: when something is forgotten the entry is partial from then on.
func keep[T any](s *ikeSA, list []T, v T, most int) []T {
	s.partial = s.partial || len(list) == most
	return bounded(list, v, most)
}

// without is list less what of names, in place.
func without[T any](list []T, of func(*T) bool) []T {
	kept := list[:0]
	for i := range list {
		if !of(&list[i]) {
			kept = append(kept, list[i])
		}
	}
	return kept
}
