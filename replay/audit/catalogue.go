package audit

import "slices"

// Entry is one entry of the catalogue: what a rule is called, where it comes from, what it proves, reads and keeps. Ids are
// stable and never reused.
type Entry struct {
	ID, Title string
	Severity  string // as the catalogue words it: "violation", "note; warning if more than one round trip late"
	Section   string // of an RFC, or of DESIGN.md
	Mark      string // what it works on: J our journal, X journal and capture, E encrypted capture, E~ by inference, D opened capture
	Proves    string // that nothing is sent while ...
	Reads     string // the records it looks at
	State     string // what it keeps, and when it forgets
}

// Find is the entry of the rule with that id.
func Find(id string) (Entry, bool) {
	for _, e := range Catalogue {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// Catalogue is every rule there is, in its order.
var Catalogue = slices.Concat(windowEntries, endEntries, secretEntries, journalEntries)
