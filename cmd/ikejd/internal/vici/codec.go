package vici

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The message encoding of strongSwan's vici README ("Message format"): a sequence of elements, each a type octet, then
// a name with an 8-bit length and a value with a 16-bit length where the type has them.
const (
	sectionStart = 1 // name
	sectionEnd   = 2
	keyValue     = 3 // name, value
	listStart    = 4 // name
	listItem     = 5 // value
	listEnd      = 6
)

// Ours: what a message may cost us to hold. swanctl's deepest message has five levels.
const (
	maxDepth    = 32
	maxElements = 1 << 15
)

// ErrMalformed is wrapped by every error about octets that are not a vici message or packet.
var ErrMalformed = errors.New("not vici")

// Append encodes m at the end of b. It fails on a name above 255 octets or a value above 65535: neither can be sent.
func (m Message) Append(b []byte) ([]byte, error) {
	var err error
	for _, it := range m.items {
		switch it.Kind {
		case KeyValue:
			if b, err = appendName(append(b, keyValue), it.Name); err == nil {
				b, err = appendValue(b, it.Name, it.Value)
			}
		case List:
			b, err = appendName(append(b, listStart), it.Name)
			for i := 0; i < len(it.Values) && err == nil; i++ {
				b, err = appendValue(append(b, listItem), it.Name, it.Values[i])
			}
			b = append(b, listEnd)
		case Section:
			if b, err = appendName(append(b, sectionStart), it.Name); err == nil {
				b, err = it.Sub.Append(b)
			}
			b = append(b, sectionEnd)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendName(b []byte, name string) ([]byte, error) {
	if len(name) > 0xff {
		return nil, fmt.Errorf("name %.20q... has %d octets and vici allows 255: shorten it", name, len(name))
	}
	return append(append(b, byte(len(name))), name...), nil
}

func appendValue(b []byte, name, value string) ([]byte, error) {
	if len(value) > 0xffff {
		return nil, fmt.Errorf("value of %q has %d octets and vici allows 65535: split it", name, len(value))
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...), nil
}

// ParseMessage decodes a message. It copies what it keeps, and its errors are ErrMalformed.
func ParseMessage(b []byte) (Message, error) {
	p := parser{rest: b}
	m, err := p.section(0)
	if err != nil {
		return Message{}, fmt.Errorf("%w: %v at octet %d of the message", ErrMalformed, err, len(b)-len(p.rest))
	}
	return m, nil
}

type parser struct {
	rest     []byte
	elements int
}

// section reads elements up to the end of the section, or of the message at depth 0.
func (p *parser) section(depth int) (Message, error) {
	var m Message
	if depth > maxDepth {
		return m, fmt.Errorf("sections nested more than %d deep", maxDepth)
	}
	for {
		if len(p.rest) == 0 && depth == 0 {
			return m, nil
		}
		kind, err := p.element()
		if err != nil {
			return m, err
		}
		if kind == sectionEnd {
			if depth == 0 {
				return m, errors.New("section end without a start")
			}
			return m, nil
		}
		var it Item
		switch kind {
		case sectionStart:
			it.Kind = Section
			if it.Name, err = p.name(); err == nil {
				var sub Message
				sub, err = p.section(depth + 1)
				it.Sub = &sub
			}
		case keyValue:
			it.Kind = KeyValue
			if it.Name, err = p.name(); err == nil {
				it.Value, err = p.value()
			}
		case listStart:
			it.Kind = List
			if it.Name, err = p.name(); err == nil {
				it.Values, err = p.list()
			}
		default:
			err = fmt.Errorf("element type %d where none may be", kind)
		}
		if err != nil {
			return m, err
		}
		m.items = append(m.items, it)
	}
}

func (p *parser) list() ([]string, error) {
	var values []string
	for {
		kind, err := p.element()
		switch {
		case err != nil:
			return nil, err
		case kind == listEnd:
			return values, nil
		case kind != listItem:
			return nil, fmt.Errorf("element type %d inside a list", kind)
		}
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
}

func (p *parser) element() (byte, error) {
	if p.elements++; p.elements > maxElements {
		return 0, fmt.Errorf("more than %d elements", maxElements)
	}
	kind, err := p.take(1)
	if err != nil {
		return 0, err
	}
	return kind[0], nil
}

func (p *parser) name() (string, error) {
	size, err := p.take(1)
	if err != nil {
		return "", err
	}
	name, err := p.take(int(size[0]))
	return string(name), err
}

func (p *parser) value() (string, error) {
	size, err := p.take(2)
	if err != nil {
		return "", err
	}
	value, err := p.take(int(binary.BigEndian.Uint16(size)))
	return string(value), err
}

func (p *parser) take(n int) ([]byte, error) {
	if n > len(p.rest) {
		return nil, fmt.Errorf("%d octets wanted and %d left", n, len(p.rest))
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken, nil
}
