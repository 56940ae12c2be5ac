package mini

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
)

// builder writes the records of a mini journal. It knows what a line leaves unsaid: ids, steps of causes, timers, SPIs.
type builder struct {
	records  []*record.Record
	step     uint64
	now      int64 // of the last record
	began    int64 // of the story
	run      uint64
	current  string
	sas      map[string]*ikeSA
	order    []*ikeSA
	nextKey  uint64
	child    uint64
	tally    map[record.Cause]uint64
	timer    ref // of the shutdown
	timerAt  int64
	beside   []Beside
	mirrored bool // the other end of the story

	// the line at hand
	r    *record.Record
	less map[string]bool
	s    *ikeSA
	in   *inbound
	// after it
	removals []removal
}

type ref struct {
	step  uint64
	index uint32
}

type removal struct {
	s  *ikeSA
	c  *child
	at ref
}

// inbound is the request of the line at hand.
type inbound struct {
	id       uint32
	exchange uint32
	path     *record.Path
}

// ikeSA is one SA of the story.
type ikeSA struct {
	number, key     uint64
	initiator       bool
	spiI, spiR      uint64
	nextOut, nextIn uint32
	phase           record.Phase
	open            []*request
	octets          map[string][]byte // >q5, <r0: datagrams
	sent            map[string]ref    // q5, r0: the Record
	received        map[uint32]uint64
	timers          map[record.Timer]timer
	wishes          []wish
	asks            map[string]ref
	children        []*child
}

type request struct {
	id       uint32
	at       ref
	sends    uint32
	timer    timer
	wait     int64
	wish     record.Wish
	exchange uint32
	children []*child
}

type timer struct {
	at       ref
	deadline int64
}

type wish struct {
	wish record.Wish
	at   ref
}

type child struct {
	name    string
	number  uint64
	in, out uint32
	phase   record.ChildPhase
	halves  [2]bool // in the kernel: inbound, outbound
}

// Epoch is when stories begin.
var epoch = time.Date(2026, 11, 23, 2, 7, 10, 0, time.UTC).UnixNano()

func newBuilder() *builder {
	return &builder{now: epoch, began: epoch, current: "sa1", sas: map[string]*ikeSA{}, tally: map[record.Cause]uint64{}}
}

const usualStep = int64(100 * time.Millisecond)

// line is one step.
func (b *builder) line(text string) error {
	if prefix, rest, ok := strings.Cut(strings.TrimSpace(text), ":"); ok && strings.HasPrefix(prefix, "sa") && !strings.Contains(prefix, " ") {
		b.current, text = prefix, rest
	}
	if aside, err := b.aside(text); aside || err != nil {
		return err
	}
	words, err := split(text)
	if err != nil || len(words) == 0 {
		return err
	}
	b.s, b.in, b.less, b.removals = b.sas[b.current], nil, map[string]bool{}, nil
	b.now += usualStep
	b.step++
	b.r = &record.Record{Step: b.step, Event: &record.Event{}}
	words = b.modifiers(words)
	events := 0
	for i, w := range words {
		b.less["serve"] = b.less["serve"] || w.name == "?" // what is dropped is not served
		if isEvent(w.name) {
			if events++; events > 1 || i > 0 {
				return fmt.Errorf("%s: an event stands first and alone", w.name)
			}
		}
	}
	b.r.Time = uint64(b.now)
	if events == 0 {
		words = append([]word{{name: "cmd", args: []string{"close"}}}, words...)
	}
	for _, w := range words {
		if err := b.word(w); err != nil {
			return err
		}
	}
	b.finish()
	return nil
}

// modifiers takes out the words that change how the others are meant.
func (b *builder) modifiers(words []word) []word {
	var rest []word
	for _, w := range words {
		switch {
		case w.name == "less":
			for _, kind := range w.args {
				b.less[kind] = true
			}
		case w.name == "stall", w.name == "late":
			b.less[w.name] = true
		case w.name == "because":
			b.less["because "+strings.Join(w.args, " ")] = true
		case w.name == "skip":
			b.step++
			b.r.Step = b.step
		case strings.HasPrefix(w.name, "@"):
			seconds, err := strconv.ParseFloat(w.name[1:], 64)
			if err == nil {
				b.now = b.began + int64(seconds*float64(time.Second))
				b.less["at"] = true
			}
		case w.name == "x", w.name == "lost", w.name == "crash":
			// what became of it on the way is not in the journal
		default:
			rest = append(rest, w)
		}
	}
	return rest
}

func isEvent(name string) bool {
	switch name {
	case "start", "config", "recover", "end", "cmd", "done", "door", "poison", "T", "+k":
		return true
	}
	return strings.HasPrefix(name, "<q") || strings.HasPrefix(name, "<r")
}

// finish writes the record, less what the line leaves out, and lets the kernel answer.
func (b *builder) finish() {
	ev := b.r.GetEvent()
	for text := range b.less {
		switch text {
		case "because none":
			ev.Because = nil
		case "because future":
			ev.Because = &record.Because{Edge: ev.GetBecause().GetEdge(), Step: b.step + 5}
		}
	}
	b.records = append(b.records, b.r)
	removals := b.removals
	b.removals = nil
	if b.less["stall"] {
		return
	}
	for _, rm := range removals {
		b.step++
		b.now += int64(time.Millisecond)
		b.records = append(b.records, &record.Record{Step: b.step, Time: uint64(b.now), Event: &record.Event{IkeSa: rm.s.number,
			Because: &record.Because{Edge: record.Edge_EDGE_ANSWERS, Step: rm.at.step, Index: rm.at.index},
			Kind:    &record.Event_ChildRemoved{ChildRemoved: &record.ChildRemoved{ChildSa: rm.c.number}}}})
	}
}

// settle makes the end of what came before the story a quiet moment.
func (b *builder) settle() { b.now += int64(time.Second) }

// add appends an effect of the SA at hand and says where it stands; an effect left out stands nowhere.
func (b *builder) add(kind string, e *record.Effect) ref {
	if b.less[kind] {
		return ref{}
	}
	if e.IkeSa == 0 && b.s != nil && kind != "report" && kind != "shutdown" {
		e.IkeSa = b.s.number
	}
	b.r.Effects = append(b.r.Effects, e)
	return ref{b.step, uint32(len(b.r.Effects) - 1)}
}

func (b *builder) decided() *record.Because {
	return &record.Because{Edge: record.Edge_EDGE_DECIDED, Step: b.step}
}

func root(r record.Root) *record.Because { return &record.Because{Root: r} }

func edge(e record.Edge, at ref) *record.Because {
	return &record.Because{Edge: e, Step: at.step, Index: at.index}
}

// sa makes the SA at hand, a new one.
func (b *builder) newSA(initiator bool) *ikeSA {
	n := uint64(len(b.order) + 1)
	s := &ikeSA{number: n, initiator: initiator, octets: map[string][]byte{}, sent: map[string]ref{}, received: map[uint32]uint64{},
		timers: map[record.Timer]timer{}, asks: map[string]ref{}, spiI: 0x1111000000000000 + n, spiR: 0x2222000000000000 + n}
	b.order = append(b.order, s)
	b.sas[b.current] = s
	b.s = s
	return s
}

func (s *ikeSA) child(name string) *child {
	for _, c := range s.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (s *ikeSA) request(id uint32) *request {
	for _, r := range s.open {
		if r.id == id {
			return r
		}
	}
	return nil
}

// made is octets that depend on what they are made of.
func made(n int, of ...any) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %v", i, of))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func short(datagram []byte) uint64 {
	sum := sha256.Sum256(datagram)
	return binary.BigEndian.Uint64(sum[:])
}
