package conf

import (
	"slices"
	"strings"
)

// Inheritance (strongswan.conf(5), "Referencing other sections"): `name : a, b { }` has all values and sections of a
// and b, which may themselves inherit, wherever in the tree and in whatever file they stand. What the section sets
// itself comes first and wins; then a, then b. Sections of one name are merged the same way, at every depth. An empty
// assignment clears an inherited value.

// resolve replaces every reference in the tree by what it brings.
func resolve(p *parser) {
	r := resolver{parser: p, done: map[*Section]*Section{}, size: map[*Section]int{}}
	p.root.Sections, p.root.index = r.all(p.root), nil
	if !p.broken {
		clearEmpty(p.root)
	}
}

type resolver struct {
	*parser
	done map[*Section]*Section // nil while a section is being resolved
	size map[*Section]int      // sections and values in a resolved section, itself among them
}

// all are the resolved sections of s.
func (r *resolver) all(s *Section) []*Section {
	var resolved []*Section
	for _, sub := range s.Sections {
		if whole := r.section(sub); whole != nil {
			resolved = append(resolved, whole)
		} else {
			r.fail(sub.Pos, "section %q is inherited by a section inside it; remove one of the two references", sub.Name)
		}
	}
	return resolved
}

// section is a copy of s without references, nil where s is being resolved already: it leads back to itself. The copy
// is shared by all who inherit it.
func (r *resolver) section(s *Section) *Section {
	if known, seen := r.done[s]; seen {
		return known
	}
	r.done[s] = nil
	whole := &Section{Name: s.Name, Pos: s.Pos, Values: s.Values, Sections: r.all(s)}
	r.size[whole] = sizeOf(whole, r.size)
	for _, ref := range s.refs {
		target := r.find(r.root, ref.name)
		if target == nil {
			r.fail(ref.pos, "section %q inherits from %q, which is not there; give its full name from the top, such as connections.gw", s.Name, ref.name)
			continue
		}
		r.refer(ref.name)
		from := r.section(target)
		if from == nil {
			r.fail(ref.pos, "section %q inherits from %q, which leads back to it; remove one of the two references", s.Name, ref.name)
			continue
		}
		whole = r.merge(whole, from)
	}
	r.done[s] = whole
	return whole
}

// refer notes which section at the top a reference leads into.
func (r *resolver) refer(name string) {
	for _, top := range r.root.Sections {
		if name == top.Name || strings.HasPrefix(name, top.Name+".") {
			r.referred[top.Name] = true
		}
	}
}

// merge is s, extended by what from has and s has not.
func (r *resolver) merge(s, from *Section) *Section {
	merged := &Section{Name: s.Name, Pos: s.Pos, Values: slices.Clone(s.Values), Sections: slices.Clone(s.Sections)}
	for _, v := range from.Values {
		if _, set := s.Lookup(v.Key); !set {
			r.count(v.Pos)
			merged.Values = append(merged.Values, v)
		}
	}
	for _, sub := range from.Sections {
		if r.broken {
			break // what is counted already is too much
		}
		i := s.place(sub.Name)
		if i < 0 {
			r.countN(sub.Pos, r.size[sub])
			merged.Sections = append(merged.Sections, sub)
		} else {
			merged.Sections[i] = r.merge(merged.Sections[i], sub)
		}
	}
	r.size[merged] = sizeOf(merged, r.size)
	return merged
}

func sizeOf(s *Section, size map[*Section]int) int {
	n := 1 + len(s.Values)
	for _, sub := range s.Sections {
		n += size[sub]
	}
	return n
}

// find is the section of a dotted name below s, which may itself have dots in its own name.
func (r *resolver) find(s *Section, name string) *Section {
	for _, sub := range s.Sections {
		if sub.Name == name {
			return sub
		}
		if rest, ok := strings.CutPrefix(name, sub.Name+"."); ok {
			if found := r.find(sub, rest); found != nil {
				return found
			}
		}
	}
	return nil
}

// clearEmpty removes the values that are empty: they have done their work, and the default applies.
func clearEmpty(s *Section) {
	s.Values = slices.DeleteFunc(s.Values, func(v Value) bool { return v.Text == "" && len(v.Items) == 0 })
	for _, sub := range s.Sections {
		clearEmpty(sub)
	}
}
