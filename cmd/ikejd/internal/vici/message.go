package vici

// Message is an ordered tree of keys with values, lists of values, and sections. The zero Message is empty and ready for use.
type Message struct{ items []item }

type item struct {
	kind byte
	name string
	text string
	list []string
	sub  *Message
}

// Set adds key = value, or replaces the value of a key that is there.
func (m *Message) Set(key, value string) {}

// List adds a list, or replaces one of that name.
func (m *Message) List(key string, values ...string) {}

// Section is the section of that name, added at the end where it is missing. The pointer stays good while m lives.
func (m *Message) Section(name string) *Message { return nil }

// Get is the value of key; "" where it is missing.
func (m Message) Get(key string) string { return "" }

// Lookup is the value of key and whether it is there.
func (m Message) Lookup(key string) (string, bool) { return "", false }

// Values is the list of that name; nil where it is missing.
func (m Message) Values(key string) []string { return nil }

// Sub is the section of that name; an empty Message and false where it is missing.
func (m Message) Sub(name string) (Message, bool) { return Message{}, false }

// Names are the names of all keys, lists and sections in their order.
func (m Message) Names() []string { return nil }
