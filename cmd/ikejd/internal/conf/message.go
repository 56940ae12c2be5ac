package conf

import "github.com/ikejd/ikejd/cmd/ikejd/internal/vici"

// FromMessage is the section that a message over the control socket stands for, such as a connection of load-conn; name
// is what it is called. It has no positions.
func FromMessage(name string, m vici.Message) *Section {
	s := &Section{Name: name}
	fill(s, m)
	clearEmpty(s)
	return s
}

func fill(s *Section, m vici.Message) {
	for _, it := range m.Items() {
		switch it.Kind {
		case vici.KeyValue:
			s.Set(Value{Key: it.Name, Text: it.Value})
		case vici.List:
			s.Set(Value{Key: it.Name, Items: append([]string{}, it.Values...)})
		case vici.Section:
			fill(s.Add(it.Name, Pos{}), *it.Sub)
		}
	}
}
