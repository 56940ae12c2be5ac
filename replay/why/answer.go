package why

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Answer is an explanation: the verdict first, then what proves it.
type Answer struct {
	SA      *replay.SA   // nil where it is not about one
	Child   uint64       // 0 where it is not about a child
	Message *uint32      // id of our request that it is about, nil where it is about no message
	Cause   record.Cause // of the SA's end
	Subject string
	Verdict []string // at most three sentences
	Rows    []Row    // newest first
	Ends    string   // where the chain ends elsewhere than at a root
	Absent  []string // what was expected and not seen, with the evidence
	Here    string   // left behind here, and at the peer
	Peer    string
	There   []string     // what the peer's journal has of it
	Next    []string     // commands
	Others  []*replay.SA // that were meant too
	Parts   []Part       // of two SAs that were compared, where they part
}

// Options of an explanation.
type Options struct {
	Full  bool           // nothing is folded
	Place *time.Location // for times in sentences
}

// Ended explains why an SA is gone; name is what it was called by.
func Ended(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA, name string, o Options) (*Answer, error) {
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return nil, err
	}
	requests := s.requests()
	facts := s.facts(requests)
	from := []place{{sa.EndStep, -1, sa.Number}}
	if refusal := s.refusal(); refusal != 0 {
		from = append(from, place{refusal, -1, sa.Number})
	}
	c := s.trace(o.Full, from...)
	a := &Answer{SA: sa, Cause: sa.Cause, Rows: c.rows, Ends: c.Ends(),
		Subject: introduce(sa, name) + " It is gone since " + text.Clock(sa.Ended, o.Place) + "."}
	a.Verdict = s.verdict(facts, requests, o)
	a.Absent = s.absent(facts, requests, o)
	a.Here, a.Peer = s.leftBehind()
	a.Next = s.next(c.rows)
	return a, nil
}

// introduce is `gw-east is ike7 (203.0.113.9:4500, SPIs 5f3a91c2… 0b77e410…).`
func introduce(sa *replay.SA, name string) string {
	called := text.SA(sa.Number)
	switch {
	case name != "" && name != called:
		called = plain(name) + " is " + called
	case sa.Connection != "":
		called += " is of connection " + plain(sa.Connection)
	default:
		called += " is of no connection"
	}
	known := []string{}
	if peer := sa.Peer(); peer != "-" {
		known = append(known, peer)
	}
	if sa.SPIi != 0 {
		known = append(known, fmt.Sprintf("SPIs %s %s", short(sa.SPIi), short(sa.SPIr)))
	}
	if len(known) == 0 {
		return called + "."
	}
	return called + " (" + strings.Join(known, ", ") + ")."
}

// short is an SPI by its first 8 hex digits.
func short(spi uint64) string {
	if spi == 0 {
		return "-"
	}
	return fmt.Sprintf("%08x…", spi>>32)
}

// verdict is the cause's sentence, and for a peer that may not know what shows it.
func (s *story) verdict(f Facts, requests []*sent, o Options) []string {
	said := []string{Sentence(f)}
	if f.Unsent && f.Request != nil {
		if f.Cause == record.Cause_CAUSE_CUT_OFF {
			said[0] = fmt.Sprintf("It was discarded because the shutdown budget of %s ended while its Delete still waited.", span(f.Budget))
		}
		said = append(said, fmt.Sprintf("The Delete was never sent: request %d (%s) was in flight and unanswered.", f.Request.ID, f.Request.What))
	}
	if f.Request == nil || !unheard(f.Cause) {
		return said
	}
	_, heard := s.heard()
	silent := "The peer was never heard"
	if heard != 0 {
		silent = "The peer was silent: nothing authentic since " + seconds(heard, o.Place)
	}
	for _, m := range requests {
		if m.given != 0 && m.id == f.Request.ID && f.Cause == record.Cause_CAUSE_CUT_OFF {
			silent = fmt.Sprintf("The peer was silent: %s of request %d since %s", replay.Count(uint64(m.sends), "send"), m.id, seconds(m.first, o.Place))
			if heard != 0 {
				silent += ", nothing authentic since " + seconds(heard, o.Place)
			}
		}
	}
	return append(said, silent+".")
}

// unheard are the causes with which an SA ends because the peer was silent.
func unheard(c record.Cause) bool {
	return c == record.Cause_CAUSE_CUT_OFF || c == record.Cause_CAUSE_UNACKNOWLEDGED || c == record.Cause_CAUSE_UNANSWERED
}

func seconds(ns int64, place *time.Location) string { return text.Clock(ns, place)[:8] }

// absent is what did not happen.
func (s *story) absent(f Facts, requests []*sent, o Options) []string {
	var missing []string
	for _, m := range requests {
		switch {
		case m.given != 0 && s.refusal() != 0:
			missing = append(missing, fmt.Sprintf("a better answer to request %d, in %s", m.id, replay.Count(uint64(m.sends), "send")))
		case m.given != 0:
			missing = append(missing, fmt.Sprintf("an answer to request %d", m.id))
		}
	}
	switch {
	case unheard(f.Cause):
		step, at := s.heard()
		switch {
		case step != 0:
			missing = append(missing, fmt.Sprintf("any authentic message after %d (%s)", step, text.Clock(at, o.Place)))
		case at != 0:
			missing = append(missing, "any authentic message after "+text.Clock(at, o.Place))
		default:
			missing = append(missing, "any authentic message at all")
		}
		missing = append(missing, fmt.Sprintf("refused since: %d", s.refusedSince(step)))
	case f.Cause == record.Cause_CAUSE_REFUSED && strings.HasPrefix(f.Detail, "no IKE_AUTH"):
		missing = append(missing, "an IKE_AUTH request of the peer")
	}
	return missing
}

// leftBehind is what may be left of the SA on either end.
func (s *story) leftBehind() (here, peer string) {
	var children []string
	for _, number := range s.sa.End.GetChildren() {
		children = append(children, text.Child(number))
	}
	removed, keys := "", ""
	for _, step := range s.steps {
		for _, e := range s.records[step].GetEffects() {
			if e.GetIkeSa() != s.sa.Number {
				continue
			}
			if e.GetDestroyKeys() != nil {
				keys = fmt.Sprintf("keys destroyed at %d", step)
			}
			if e.GetChildSa() != 0 && e.GetChanged().GetChildTo() == record.ChildPhase_CHILD_PHASE_REMOVED {
				removed = text.Child(e.GetChildSa()) + " removed"
			}
		}
	}
	if len(children) > 1 {
		removed = strings.Join(children, ", ") + " removed"
	}
	here = "nothing"
	if said := joined(removed, keys); said != "" {
		here += ": " + said
	}
	if unheard(s.sa.Cause) || s.sa.Cause == record.Cause_CAUSE_NOT_RECOVERED {
		if s.sa.End.GetFrom() == record.Phase_PHASE_HALF_OPEN {
			return here, "perhaps a half-open SA, not for long"
		}
		all := append([]string{text.SA(s.sa.Number)}, children...)
		if n := len(all); n > 1 {
			all = []string{strings.Join(all[:n-1], ", "), all[n-1]}
		}
		return here, strings.Join(all, " and ") + ", likely"
	}
	return here, "nothing"
}

func joined(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}

// next are commands that go on from here: the steps from where the end began, the run's end, the case for somebody else.
func (s *story) next(rows []Row) []string {
	name, from, up := text.SA(s.sa.Number), s.sa.EndStep, uint64(0)
	for _, entered := range s.sa.Entered {
		if entered.Phase == record.Phase_PHASE_ESTABLISHED {
			up = entered.Step
		}
	}
	for _, row := range rows {
		if row.Step >= s.sa.First && row.Step > up {
			from = min(from, row.Step)
		}
	}
	commands := []string{fmt.Sprintf("ikejd journal cat %s --since %d", name, from)}
	if run := s.run(s.sa.EndStep); run != nil && run.AskedStep != 0 && s.sa.EndStep >= run.AskedStep {
		commands = append(commands, "ikejd why shutdown")
	}
	return append(commands, fmt.Sprintf("ikejd journal export %s -o %s.ikej", name, name))
}

// run is the life of the daemon that a step is of.
func (s *story) run(step uint64) *replay.Run {
	for _, run := range s.catalog.Runs {
		if step >= run.First && step <= run.Last {
			return run
		}
	}
	return nil
}

func exchange(m *record.RecordMessage) string { return ike.ExchangeType(m.GetExchange()).String() }
