package mini

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
)

// What a story tells beside the journal: frames of a capture, and what a replay or a reader of the file found.

// Beside is one of both, and how many records come before it.
type Beside struct {
	After int
	Frame *Frame
	Told  *Told
}

// Frame is a datagram of a capture at this host, from behind its UDP header.
type Frame struct {
	Time          int64
	Out, Closed   bool // Closed: nobody listened where it was sent to
	Local, Remote netip.AddrPort
	Datagram      []byte

	sa   *ikeSA
	name string // of the message it is
}

// Told is `told(effects …)`: about the step of the record before it.
type Told struct {
	About, Text, Missing string
	Step                 uint64
}

// aside reads a line that is no step.
func (b *builder) aside(text string) (is bool, err error) {
	words, err := split(text)
	if err != nil || len(words) == 0 {
		return false, err
	}
	switch words[0].name {
	case "wire":
		return true, b.wire(words[0], words[1:])
	case "told":
		args := words[0].args
		if len(args) < 2 {
			return true, fmt.Errorf("told wants what it is about, and what was found")
		}
		t := &Told{About: args[0], Text: strings.Join(args[1:], " "), Step: b.step}
		if args[1] == "missing" {
			t.Text, t.Missing = "it was not compared", strings.Join(args[2:], " ")
		}
		b.beside = append(b.beside, Beside{After: len(b.records), Told: t})
		return true, nil
	}
	return false, nil
}

func (b *builder) wire(w word, rest []word) error {
	b.s = b.sas[b.current]
	copies, made := 1, 0
	for i := 0; i < len(rest); i++ {
		f := &Frame{Closed: w.arg(0) == "closed", sa: b.s}
		name, from := rest[i].name, rest[i]
		seconds, err := strconv.ParseFloat(strings.TrimPrefix(name, "@"), 64)
		if strings.HasPrefix(name, "@") && err == nil {
			b.now = b.began + int64(seconds*float64(time.Second))
			continue
		}
		switch {
		case name == ">keepalive", name == "<keepalive":
			f.Out, f.Datagram = name[0] == '>', []byte{0xff}
			f.Local, f.Remote = b.place("us4500"), b.place("p4500")
		case name == ">unknown":
			f.Out, f.Local, f.Remote = true, b.place("us"), b.place("p1")
			h := ike.Header{SPIi: 0x77, SPIr: 0x88, Major: ike.MajorVersion, Exchange: ike.INFORMATIONAL, Flags: ike.FlagResponse}
			f.Datagram = ike.AppendMessage(nil, h, ike.NewNotify(ike.NotifyInvalidIKESPI, nil))
			if n, err := strconv.Atoi(from.arg(0)); err == nil {
				copies = min(n, 1000)
			}
		case isMessage(name) && b.s != nil:
			f.Out, f.name = name[0] != '<', name
			f.Local, f.Remote = b.place("us"), b.place("p1")
		default:
			return fmt.Errorf("wire %s: that is no frame", name)
		}
		for ; copies > 0; copies-- {
			b.now += int64(time.Millisecond)
			one := *f
			one.Time = b.now
			b.beside = append(b.beside, Beside{After: len(b.records), Frame: &one})
		}
		copies, made = 1, made+1
	}
	if made == 0 {
		return fmt.Errorf("wire wants a frame")
	}
	if f := b.beside[len(b.beside)-1].Frame; f.Closed {
		f.Out = true // what says so leaves
	}
	return nil
}

// octets gives frames the octets of the messages that they are: of one that is recorded only later too.
func (b *builder) octets() error {
	for i := range b.beside {
		f := b.beside[i].Frame
		if f == nil || f.name == "" {
			continue
		}
		key := f.name
		if key[0] == '~' || key[0] == '=' {
			key = ">" + key[1:]
		}
		f.Datagram = f.sa.octets[key]
		if f.Datagram != nil && f.name[0] != '~' {
			continue
		}
		id, err := strconv.ParseUint(key[2:], 10, 32)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		h := f.sa.header(ike.INFORMATIONAL, uint32(id), key[1] == 'r', f.sa.initiator == (key[0] == '>'))
		f.Datagram = sealed(h, nil, "of no record")
	}
	return nil
}

// place is an endpoint of the story as this end sees it.
func (b *builder) place(name string) netip.AddrPort {
	if b.mirrored {
		name = map[string]string{"us": "p1", "us4500": "p4500", "p1": "us", "p4500": "us4500"}[name]
	}
	return places[name]
}

// mirror is the builder of another node's journal: of the other end, or of this end when another daemon has it.
func (b *builder) mirror(otherEnd bool, after string) *builder {
	m := newBuilder()
	m.mirrored = otherEnd != b.mirrored
	if seconds, err := strconv.ParseFloat(after, 64); err == nil {
		m.now = b.began + int64(seconds*float64(time.Second))
		m.began = m.now
	}
	return m
}

// halves are the SPIs of a child's directions.
func (b *builder) halves(c *child) (in, out uint32) {
	in, out = 0xc1000000+uint32(c.number), 0xd1000000+uint32(c.number)
	if b.mirrored {
		in, out = out, in
	}
	return in, out
}
