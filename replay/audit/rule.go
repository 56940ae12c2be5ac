package audit

import "github.com/ikejd/ikejd/proto/record"

// Rule is a checker.
type Rule struct {
	ID     string
	Needs  Input  // what it judges beside the journal; 0: nothing
	Limits string // what it cannot see in a journal alone, for its page; empty where that is nothing

	hooks
}

// Input is what a rule may need beside a journal.
type Input uint8

const (
	Wire  Input = 1 << iota // a capture taken at the same host: Capture, Captured
	Check                   // what reads and replays journals has its say: Told
	Other                   // the journal of another node: Joint
)

// Entry is the rule's line of the catalogue.
func (r *Rule) Entry() Entry {
	e, _ := Find(r.ID)
	return e
}

// hooks are when a rule looks. What a hook sees of the table is what was true before the thing it is called for, but in
// after, settled, idle and end.
type hooks struct {
	record   func(*now)                         // each record
	received func(*now, *ikeSA)                 // a datagram or a repeat came for that SA: n.in
	effect   func(*now, *ikeSA, *record.Effect) // each effect, in order; nil where it is about no SA
	sent     func(*now, *ikeSA, *message)       // a message goes out, for the first time or again
	after    func(*now, *ikeSA)                 // each SA the record touched
	settled  func(*now)                         // the record is whole in the table
	idle     func(*now, *ikeSA)                 // now and then and at the end, for what should have happened by now
	snapshot func(*now, *record.Snapshot)       // a State that the reducer published
	captured func(*now, *captured)              // a frame of the capture
	joint    func(*now, *Auditor, int64)        // the journal of another node, at the end
	told     func(*now, Told)                   // something that the rules cannot see
	end      func(*now)                         // there are no more records
}

// hooked is a function of a rule.
type hooked[F any] struct {
	rule *Rule
	call F
}

// dispatch is the enabled rules' hooks, by kind.
type dispatch struct {
	record, settled, end []hooked[func(*now)]
	received, after      []hooked[func(*now, *ikeSA)]
	idle                 []hooked[func(*now, *ikeSA)]
	effect               []hooked[func(*now, *ikeSA, *record.Effect)]
	sent                 []hooked[func(*now, *ikeSA, *message)]
	snapshot             []hooked[func(*now, *record.Snapshot)]
	captured             []hooked[func(*now, *captured)]
	told                 []hooked[func(*now, Told)]
	joint                []hooked[func(*now, *Auditor, int64)]
}

func (d *dispatch) add(r *Rule) {
	hook(&d.record, r, r.record, r.record != nil)
	hook(&d.received, r, r.received, r.received != nil)
	hook(&d.effect, r, r.effect, r.effect != nil)
	hook(&d.sent, r, r.sent, r.sent != nil)
	hook(&d.after, r, r.after, r.after != nil)
	hook(&d.settled, r, r.settled, r.settled != nil)
	hook(&d.idle, r, r.idle, r.idle != nil)
	hook(&d.snapshot, r, r.snapshot, r.snapshot != nil)
	hook(&d.captured, r, r.captured, r.captured != nil)
	hook(&d.told, r, r.told, r.told != nil)
	hook(&d.joint, r, r.joint, r.joint != nil)
	hook(&d.end, r, r.end, r.end != nil)
}

func hook[F any](list *[]hooked[F], r *Rule, call F, has bool) {
	if has {
		*list = append(*list, hooked[F]{r, call})
	}
}

// number is the rule's place in the catalogue.
func (r *Rule) number() int {
	for i := range Catalogue {
		if Catalogue[i].ID == r.ID {
			return i
		}
	}
	panic("rule " + r.ID + " is not in the catalogue")
}
