package audit

import (
	"bytes"
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// Auditor reads a journal, record by record, and judges it. It is not safe for use from several goroutines.
type Auditor struct {
	dispatch
	table    table
	journal  journal
	canaries canaries
	capture  capture
	payloads ike.Payloads // scratch
	out      message      // scratch
	in       message      // scratch
	touched  []*ikeSA     // by the record at hand
	found    []Finding    // of the record at hand
	summary  Summary
}

// New is an Auditor with these rules; without any, with all that need nothing but the journal.
func New(rules ...*Rule) *Auditor {
	if len(rules) == 0 {
		rules = With(0)
	}
	a := &Auditor{table: newTable(MaxSAs), summary: Summary{Rules: len(rules), ByRule: map[string]Tally{}}}
	for _, r := range rules {
		a.add(r)
	}
	return a
}

// Pick is the rules with these ids.
func Pick(ids ...string) ([]*Rule, error) {
	var picked []*Rule
	for _, id := range ids {
		r := ruleOf(id)
		if r == nil {
			if why, ok := Absent[id]; ok {
				return nil, fmt.Errorf("rule %s is not built yet: %s", id, why)
			}
			return nil, fmt.Errorf("there is no rule %q; try: ikejd audit --list", id)
		}
		picked = append(picked, r)
	}
	return picked, nil
}

// With is the rules that need no more than the journal and these inputs.
func With(inputs Input) []*Rule {
	var all []*Rule
	for _, r := range Rules {
		if r.Needs&^inputs == 0 {
			all = append(all, r)
		}
	}
	return all
}

func ruleOf(id string) *Rule {
	for _, r := range Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Limits is what the rule with that id cannot see in a journal alone; empty where that is nothing.
func Limits(id string) string {
	if r := ruleOf(id); r != nil {
		return r.Limits
	}
	return ""
}

// Excerpt says that records were left out on purpose, as in a case file of a few SAs: gaps between steps and what is
// counted over all SAs are not judged.
func (a *Auditor) Excerpt() { a.journal.excerpt = true }

// Start takes a State over from a snapshot: the records that follow are those after it. Without it, or with nil, a
// journal that does not begin at step 1 is judged as what it is, cut off.
func (a *Auditor) Start(s *record.Snapshot) {
	if s == nil {
		return
	}
	a.journal.startFrom(s)
	for _, sa := range s.GetIkeSas() {
		a.table.seed(sa, int64(s.GetTime()))
	}
	for _, sent := range s.GetSent() {
		if e := a.table.find(sent.GetIkeSa()); e != nil {
			e.seedDatagram(sent)
		}
	}
}

// Record judges one record and gives what was found there. Records come in the order of the journal.
func (a *Auditor) Record(r *record.Record) []Finding {
	a.found = nil
	n := &now{a: a, j: &a.journal, r: r, ev: r.GetEvent(), step: r.GetStep(), time: int64(r.GetTime())}
	a.summary.Records++
	a.touched = a.touched[:0]
	for _, e := range r.GetEffects() {
		if d := e.GetDropped(); d != nil && e.GetBecause().GetStep() == 0 { // one with an edge drops a wish
			n.dropped = d.GetCause()
		}
	}
	if n.in = a.receivedMessage(n); n.in != nil && a.capture.on {
		a.capture.came(n)
	}
	for _, h := range a.record {
		n.rule = h.rule
		h.call(n)
	}
	a.event(n)
	datagrams := r.GetDatagrams()
	for i, e := range r.GetEffects() {
		n.index = uint32(i)
		datagrams = a.order(n, e, datagrams)
	}
	a.journal.after(n)
	for _, s := range a.touched {
		for _, h := range a.after {
			n.rule = h.rule
			h.call(n, s)
		}
	}
	for _, h := range a.settled {
		n.rule = h.rule
		h.call(n)
	}
	for _, s := range a.touched {
		if s.settle(); a.capture.on {
			a.capture.knows(s, &a.table)
		}
	}
	a.journal.settle(n)
	a.sweep(n)
	return a.found
}

// Entry is Record for a record as it is in the journal. It also sees what only the octets show: a record that does not
// come out of its own decoding again (JRN-02).
func (a *Auditor) Entry(data []byte) ([]Finding, error) {
	r := new(record.Record)
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("a record cannot be read: %w; try: ikejd journal verify", err)
	}
	again, err := record.Marshal(r)
	a.journal.reencoded = err == nil && bytes.Equal(again, data)
	a.journal.encodedSeen = true
	found := a.Record(r)
	a.journal.encodedSeen = false
	return found, nil
}

// Snapshot compares what the reducer published with what the rules have counted. It belongs after the record of its step.
func (a *Auditor) Snapshot(s *record.Snapshot) []Finding {
	a.found = nil
	n := &now{a: a, j: &a.journal, step: s.GetStep(), time: int64(s.GetTime())}
	if s.GetStep() != a.journal.step {
		return nil
	}
	for _, h := range a.dispatch.snapshot {
		n.rule = h.rule
		h.call(n, s)
	}
	return a.found
}

// End says that there are no more records, and sums up.
func (a *Auditor) End() Summary {
	a.found = nil
	n := &now{a: a, j: &a.journal, step: a.journal.step, time: a.journal.time}
	a.table.each(func(s *ikeSA) { a.look(n, s) })
	for _, h := range a.end {
		n.rule = h.rule
		h.call(n)
	}
	a.summary.Last = a.found
	a.summary.SAs, a.summary.Evicted = a.table.seen, a.table.evicted
	return a.summary
}

// Plant tells rule KEY-04 a secret that must not occur in any record: at least 8 octets, kept as a digest.
func (a *Auditor) Plant(secret []byte) { a.canaries.plant(secret) }

// event puts what happened into the table, after the rules have looked at it.
func (a *Auditor) event(n *now) {
	s := a.about(n, n.ev.GetIkeSa(), false)
	if n.in != nil && s != nil {
		for _, h := range a.received {
			n.rule = h.rule
			h.call(n, s)
		}
	}
	a.journal.event(n)
	if s != nil {
		s.event(n)
	}
	if n.ev.GetRecovered() != nil {
		a.table.each(func(s *ikeSA) { s.recovered(n) })
	}
}

// order puts one effect into the table, after the rules have looked at it.
func (a *Auditor) order(n *now, e *record.Effect, datagrams [][]byte) [][]byte {
	// An answer to an operator, or why an event changed nothing, may name an SA that never was.
	s := a.about(n, e.GetIkeSa(), e.GetAnswer() == nil && e.GetDropped() == nil)
	for _, h := range a.effect {
		n.rule = h.rule
		h.call(n, s, e)
	}
	m, rest := a.sentMessage(n, s, e, datagrams)
	if m != nil && s != nil {
		for _, h := range a.sent {
			n.rule = h.rule
			h.call(n, s, m)
		}
		if a.capture.on {
			a.capture.sent(n, s, m)
		}
		s.sends(n, m)
	}
	a.journal.effect(n, e)
	if s != nil {
		s.effect(n, e)
	}
	return rest
}

// about is the entry of an IKE SA that this record is about; one that is not known gets an entry where make says so.
func (a *Auditor) about(n *now, number uint64, make bool) *ikeSA {
	if number == 0 {
		return nil
	}
	s := a.table.find(number)
	if s == nil {
		if !make {
			return nil
		}
		s = a.table.add(n, number)
	}
	a.table.touch(s, n.time)
	for _, t := range a.touched {
		if t == s {
			return s
		}
	}
	a.touched = append(a.touched, s)
	return s
}

// sweep looks at a few entries that nothing happens to, and drops those whose SA ended long ago.
func (a *Auditor) sweep(n *now) {
	for range sweepAtOnce {
		s := a.table.next()
		if s == nil {
			return
		}
		if s.ended != 0 && n.time-s.ended > keepEnded {
			a.table.drop(s)
			continue
		}
		a.look(n, s)
	}
}

func (a *Auditor) look(n *now, s *ikeSA) {
	for _, h := range a.idle {
		n.rule = h.rule
		h.call(n, s)
	}
}
