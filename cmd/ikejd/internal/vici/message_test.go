package vici

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// readme is the example of strongSwan's vici README ("Encoding example"), octet by octet.
var readme = []byte("" +
	"\x03\x04key1\x00\x06value1" +
	"\x01\x08section1" +
	"\x01\x0bsub-section" +
	"\x03\x04key2\x00\x06value2" +
	"\x02" +
	"\x04\x05list1" +
	"\x05\x00\x05item1" +
	"\x05\x00\x05item2" +
	"\x06" +
	"\x02")

func TestMessageOfTheREADME(t *testing.T) {
	var m Message
	m.Set("key1", "replaced")
	m.Section("section1").Section("sub-section").Set("key2", "value2")
	m.Section("section1").List("list1", "item1", "item2")
	m.Set("key1", "value1")
	got, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, readme) {
		t.Errorf("encoded  %q\nexpected %q", got, readme)
	}

	m, err = ParseMessage(readme)
	if err != nil {
		t.Fatal(err)
	}
	section, ok := m.Sub("section1")
	sub, subOK := section.Sub("sub-section")
	if !ok || !subOK || m.Get("key1") != "value1" || sub.Get("key2") != "value2" {
		t.Errorf("decoded %+v", m)
	}
	if items := section.Values("list1"); len(items) != 2 || items[1] != "item2" {
		t.Errorf("list1 is %q", items)
	}
	if _, ok := m.Lookup("key2"); ok {
		t.Error("key2 of the inner section was found outside it")
	}
	for name := range m.Sections() {
		if name != "section1" {
			t.Errorf("section %q", name)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	deep := strings.Repeat("\x01\x01s", maxDepth+1) + strings.Repeat("\x02", maxDepth+1)
	for name, octets := range map[string]string{
		"element type 0":           "\x00",
		"element type 7":           "\x07",
		"end without start":        "\x02",
		"item outside a list":      "\x05\x00\x01x",
		"list end outside a list":  "\x06",
		"section not ended":        "\x01\x01s",
		"list not ended":           "\x04\x01l\x05\x00\x01x",
		"section inside a list":    "\x04\x01l\x01\x01s\x02\x06",
		"list inside a list":       "\x04\x01l\x04\x01l\x06\x06",
		"name longer than message": "\x03\xffkey",
		"name missing":             "\x01",
		"value longer":             "\x03\x03key\xff\xffvalue",
		"value length cut":         "\x03\x03key\x00",
		"too deep":                 deep,
		"too many elements":        strings.Repeat("\x03\x00\x00\x00", maxElements+1),
	} {
		if _, err := ParseMessage([]byte(octets)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if _, err := ParseMessage([]byte(deep[3 : len(deep)-1])); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
}

func TestWhatCannotBeEncoded(t *testing.T) {
	var name, value, item, inner, large Message
	name.Set(strings.Repeat("n", 256), "")
	value.Set("k", strings.Repeat("v", 65536))
	item.List("l", "fine", strings.Repeat("v", 65536))
	*inner.Section("s") = value
	for i := range 9 {
		large.Set(string(rune('a'+i)), strings.Repeat("v", 65535))
	}
	for what, m := range map[string]Message{"long name": name, "long value": value, "long item": item, "inside a section": inner} {
		if b, err := m.Append(nil); err == nil || b != nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := (packet{Type: cmdResponse, Message: large}).encode(); err == nil {
		t.Error("a packet above the limit was encoded")
	}
}

func TestPackets(t *testing.T) {
	var m Message
	m.Set("k", "v")
	for _, c := range []struct {
		p      packet
		octets string
	}{
		{packet{Type: cmdRequest, Name: "version"}, "\x00\x00\x00\x09\x00\x07version"},
		{packet{Type: cmdResponse, Message: m}, "\x00\x00\x00\x07\x01\x03\x01k\x00\x01v"},
		{packet{Type: cmdUnknown}, "\x00\x00\x00\x01\x02"},
		{packet{Type: eventRegister, Name: "log"}, "\x00\x00\x00\x05\x03\x03log"},
		{packet{Type: eventUnregister, Name: "log"}, "\x00\x00\x00\x05\x04\x03log"},
		{packet{Type: eventConfirm}, "\x00\x00\x00\x01\x05"},
		{packet{Type: eventUnknown}, "\x00\x00\x00\x01\x06"},
		{packet{Type: event, Name: "log", Message: m}, "\x00\x00\x00\x0b\x07\x03log\x03\x01k\x00\x01v"},
	} {
		encoded, err := c.p.encode()
		if err != nil || string(encoded) != c.octets {
			t.Errorf("type %d encodes to %q, %v", c.p.Type, encoded, err)
		}
		p, err := readPacket(strings.NewReader(c.octets))
		if err != nil || p.Type != c.p.Type || p.Name != c.p.Name || p.Message.Get("k") != c.p.Message.Get("k") {
			t.Errorf("type %d decodes to %+v, %v", c.p.Type, p, err)
		}
	}
	for what, octets := range map[string]string{
		"empty":              "\x00\x00\x00\x00",
		"type 8":             "\x00\x00\x00\x01\x08",
		"too large":          "\x00\x08\x00\x01",
		"name cut":           "\x00\x00\x00\x03\x03\x05l",
		"octets after":       "\x00\x00\x00\x02\x02x",
		"message is garbage": "\x00\x00\x00\x02\x01\x09",
	} {
		if _, err := readPacket(strings.NewReader(octets)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error is %v", what, err)
		}
	}
}

// No octets make the decoder panic, and what it accepts encodes to the same octets.
func FuzzMessage(f *testing.F) {
	f.Add(readme)
	f.Add([]byte("\x04\x00\x06"))
	f.Add([]byte("\x01\x01s\x02\x01\x01s\x02"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		m, err := ParseMessage(octets)
		if err != nil {
			return
		}
		if again, err := m.Append(nil); err != nil || !bytes.Equal(again, octets) {
			t.Errorf("%q encodes to %q, %v", octets, again, err)
		}
	})
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x00\x07version"))
	f.Add(append([]byte("\x07\x03log"), readme...))
	f.Add([]byte("\x05"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		p, err := parsePacket(octets)
		if err != nil {
			return
		}
		again, err := p.encode()
		if err != nil && len(octets) <= maxPacket {
			t.Fatal(err)
		}
		if err == nil && (!bytes.Equal(again[4:], octets) || int(binary.BigEndian.Uint32(again)) != len(octets)) {
			t.Errorf("%q encodes to %q", octets, again)
		}
	})
}
