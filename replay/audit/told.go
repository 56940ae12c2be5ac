package audit

// What the rules cannot see: they know no reducer, and a journal's batches and chain are below its records. Whoever can
// (`ikejd audit`: with packages replay and journal) tells it, and the rule says it as a finding.

// Subject is what is told about.
type Subject uint8

const (
	Effects Subject = iota + 1 // a replay of the events orders other effects (JRN-03)
	State                      // a replay of the events comes to another State than a snapshot (JRN-04)
	Storage                    // the file is not batches that are whole, one behind the other (JRN-05)
)

// Told is one thing that whoever replays or reads the journal has found.
type Told struct {
	About   Subject
	Step    uint64
	SA      uint64 // 0: about no IKE SA
	Text    string
	Missing string // what was not there to find out; then nothing is known to be wrong
}

// Told judges what was found outside.
func (a *Auditor) Told(t Told) []Finding {
	a.found = nil
	n := &now{a: a, j: &a.journal, step: t.Step, time: a.journal.time}
	for _, h := range a.dispatch.told {
		n.rule = h.rule
		h.call(n, t)
	}
	return a.found
}

// says makes the hook of a rule that repeats what is told about a subject.
func says(about Subject) hooks {
	return hooks{told: func(n *now, t Told) {
		if t.About != about {
			return
		}
		f := Finding{Verdict: Violation, Text: t.Text, Missing: t.Missing}
		if t.Missing != "" {
			f.Verdict = Inconclusive
		}
		n.add(f, nil)
		n.a.found[len(n.a.found)-1].SA = t.SA
	}}
}

var jrn03 = &Rule{ID: "JRN-03", Needs: Check, hooks: says(Effects),
	Limits: "The rule runs no reducer: ikejd audit replays the journal and tells it, where the whole journal is at hand."}

var jrn04 = &Rule{ID: "JRN-04", Needs: Check, hooks: says(State),
	Limits: "The rule runs no reducer: ikejd audit replays the journal up to each snapshot and tells it. AUD-03 compares a snapshot with what the rules count."}

var jrn05 = &Rule{ID: "JRN-05", Needs: Check, hooks: says(Storage),
	Limits: "Batches are below the records: ikejd audit reads the file as ikejd journal verify does and tells it. That nothing visible came of what was cut off shows in a capture, as ORD-01."}
