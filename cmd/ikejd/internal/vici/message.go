package vici

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
)

// Message is an ordered tree of keys with values, lists of values, and sections. The zero Message is empty and ready
// for use. A copy shares its parts with the original: build a message in one place, then hand it on.
type Message struct{ items []Item }

// Kind says what an Item is.
type Kind byte

// The three kinds of items.
const (
	KeyValue Kind = iota + 1
	List
	Section
)

// Item is one entry of a message: Kind says which of the other fields counts.
type Item struct {
	Kind   Kind
	Name   string
	Value  string   // of a KeyValue; any octets
	Values []string // of a List
	Sub    *Message // of a Section, never nil there
}

// Set adds key = value, or replaces the value of a key that is there.
func (m *Message) Set(key, value string) {
	m.put(Item{Kind: KeyValue, Name: key, Value: value})
}

// List adds a list, or replaces one of that name. The values are kept, not copied.
func (m *Message) List(key string, values ...string) {
	m.put(Item{Kind: List, Name: key, Values: values})
}

// Section is the section of that name, added at the end where it is missing; changes to it are changes to m.
func (m *Message) Section(name string) *Message {
	if it := m.find(Section, name); it != nil {
		return it.Sub
	}
	sub := &Message{}
	m.items = append(m.items, Item{Kind: Section, Name: name, Sub: sub})
	return sub
}

// Get is the value of key; "" where it is missing.
func (m Message) Get(key string) string {
	value, _ := m.Lookup(key)
	return value
}

// Lookup is the value of key and whether it is there.
func (m Message) Lookup(key string) (string, bool) {
	if it := m.find(KeyValue, key); it != nil {
		return it.Value, true
	}
	return "", false
}

// Number is the value of key, 0 where it is missing; the error names the key where it is no number.
func (m Message) Number(key string) (uint64, error) {
	text := m.Get(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a number", key, text)
	}
	return n, nil
}

// Values is the list of that name; nil where it is missing.
func (m Message) Values(key string) []string {
	if it := m.find(List, key); it != nil {
		return it.Values
	}
	return nil
}

// Sub is the section of that name; an empty Message and false where it is missing.
func (m Message) Sub(name string) (Message, bool) {
	if it := m.find(Section, name); it != nil {
		return *it.Sub, true
	}
	return Message{}, false
}

// Items are all entries in their order, as received: a peer may send a name twice.
func (m Message) Items() []Item { return m.items }

// Sections are the names and contents of all sections in their order.
func (m Message) Sections() iter.Seq2[string, Message] {
	return func(yield func(string, Message) bool) {
		for _, it := range m.items {
			if it.Kind == Section && !yield(it.Name, *it.Sub) {
				return
			}
		}
	}
}

func (m *Message) put(it Item) {
	if old := m.find(it.Kind, it.Name); old != nil {
		*old = it
		return
	}
	m.items = append(m.items, it)
}

// find is the first item of that kind and name. The pointer is good until the next append.
func (m *Message) find(kind Kind, name string) *Item {
	i := slices.IndexFunc(m.items, func(it Item) bool { return it.Kind == kind && it.Name == name })
	if i < 0 {
		return nil
	}
	return &m.items[i]
}
