package conf

import (
	"fmt"
	"slices"
	"strings"
)

// Section is a node of the configuration's tree, in the order of the file. The root has no name.
type Section struct {
	Name     string
	Pos      Pos
	Sections []*Section
	Values   []Value

	refs []reference // other sections this one inherits from, until resolve has brought their contents in

	// index finds sections by name where there are many: a file may have a hundred thousand connections.
	// Invariant: it is nil, or names the first len(index) of Sections, each at its place.
	index map[string]int
}

// indexFrom is how many sections make an index worth its memory.
const indexFrom = 32

// Value is one `key = value`.
type Value struct {
	Key  string
	Text string
	Pos  Pos
	// Items are the entries of a value that is a list already, as in a message over the control socket; nil for text
	// that List still has to split.
	Items []string
}

// reference is one name after the colon of `name : other.section { }`.
type reference struct {
	name string
	pos  Pos
}

// List are the comma-separated entries without the blanks around them; empty entries are left out.
func (v Value) List() []string {
	if v.Items != nil {
		return v.Items
	}
	var items []string
	for item := range strings.SplitSeq(v.Text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// Sub is the section of that name, or nil.
func (s *Section) Sub(name string) *Section {
	if i := s.place(name); i >= 0 {
		return s.Sections[i]
	}
	return nil
}

// place is where the section of that name stands in Sections; -1 where it is missing.
func (s *Section) place(name string) int {
	if len(s.Sections) < indexFrom {
		return slices.IndexFunc(s.Sections, func(sub *Section) bool { return sub.Name == name })
	}
	if s.index == nil {
		s.index = make(map[string]int, len(s.Sections))
	}
	for i := len(s.index); i < len(s.Sections); i++ {
		s.index[s.Sections[i].Name] = i
	}
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// Lookup is the value of a key and whether it is set.
func (s *Section) Lookup(key string) (Value, bool) {
	i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Key == key })
	if i < 0 {
		return Value{}, false
	}
	return s.Values[i], true
}

// Set adds a value, or replaces the one of that key at its place: a later assignment wins.
func (s *Section) Set(v Value) {
	i := slices.IndexFunc(s.Values, func(old Value) bool { return old.Key == v.Key })
	if i < 0 {
		s.Values = append(s.Values, v)
	} else {
		s.Values[i] = v
	}
}

// Add is the section of that name, made at pos where it is missing: a section that is opened again is extended.
func (s *Section) Add(name string, pos Pos) *Section {
	if sub := s.Sub(name); sub != nil {
		return sub
	}
	sub := &Section{Name: name, Pos: pos}
	s.Sections = append(s.Sections, sub)
	return sub
}

// String prints the tree in the grammar it was read from, sections after values. Secrets are hidden, and inside
// `secrets { }` everything that is not known to be none.
func (s *Section) String() string {
	var b strings.Builder
	s.print(&b, "", s.Name == "secrets")
	return b.String()
}

func (s *Section) print(b *strings.Builder, indent string, secrets bool) {
	for _, v := range s.Values {
		name, text := v.Key, v.Text
		if v.Items != nil {
			text = strings.Join(v.Items, ", ")
		}
		switch {
		case secretKey(name):
			text = "(secret)"
		case secrets && !slices.ContainsFunc([]string{"id*", "file", "handle", "slot", "module"}, func(k string) bool { return matches(k, name) }):
			name, text = "(unknown)", "(hidden)"
		}
		fmt.Fprintf(b, "%s%s = %s\n", indent, name, quote(text))
	}
	for _, sub := range s.Sections {
		name := sub.Name
		if secrets && len(indent) > len(step) {
			name = "(unknown)" // nothing may be inside a secret
		}
		fmt.Fprintf(b, "%s%s {\n", indent, name)
		sub.print(b, indent+step, secrets || sub.Name == "secrets")
		fmt.Fprintf(b, "%s}\n", indent)
	}
}

const step = "    "

// secretKey says whether the value of a key must never be shown, in whatever section it stands.
func secretKey(key string) bool { return key == "secret" || key == "pin" }

// quote puts quotes around a text that would not be read back as it is.
func quote(text string) string {
	plain := strings.Join(strings.Fields(text), " ") == text && !strings.ContainsAny(text, "#}{\"\\")
	if plain {
		return text
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`).Replace(text)
	return `"` + escaped + `"`
}
