package mini

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What is asked of the keyring and the kernel, and what they answer.

func (b *builder) ask(args []string) error {
	s := b.s
	e := &record.Effect{}
	if c := s.child(at(args, 1)); c != nil {
		e.ChildSa = c.number
	}
	id := &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte("peer.example")}
	key := s.key
	if n, err := strconv.ParseUint(at(args, 2), 10, 64); err == nil {
		key = n
	}
	switch at(args, 0) {
	case "ke":
		e.Kind = &record.Effect_MakeKeyShare{MakeKeyShare: &record.MakeKeyShare{Group: uint32(ike.GroupCurve25519)}}
	case "agree":
		e.Kind = &record.Effect_Agree{Agree: &record.Agree{KeyRef: key, Initiator: true, SpiI: s.spiI, SpiR: s.spiR, Suite: &record.Suite{Encr: uint32(ike.EncrAESGCM16), KeyLength: 256}}}
	case "make":
		e.Kind = &record.Effect_MakeAuth{MakeAuth: &record.MakeAuth{KeyRef: key, Initiator: true, LocalId: id, RemoteId: id}}
	case "check":
		e.Kind = &record.Effect_CheckAuth{CheckAuth: &record.CheckAuth{KeyRef: key, Initiator: s.initiator, LocalId: id, RemoteId: id}}
	case "spi":
		e.Kind = &record.Effect_AllocateSpi{AllocateSpi: &record.AllocateSPI{Protocol: uint32(ike.ProtocolESP)}}
	case "install":
		c := s.child(at(args, 1))
		if c == nil {
			return fmt.Errorf("there is no child %s", at(args, 1))
		}
		_, c.out = b.halves(c)
		e.Kind = &record.Effect_InstallChild{InstallChild: &record.InstallChild{Name: c.name, KeyRef: key, Initiator: s.initiator, Protocol: uint32(ike.ProtocolESP),
			InboundSpi: c.in, OutboundSpi: c.out, Path: b.path(word{}), Ni: made(32, "ni"), Nr: made(32, "nr")}}
	case "remove":
		c := s.child(at(args, 1))
		if c == nil {
			return fmt.Errorf("there is no child %s", at(args, 1))
		}
		c.halves = [2]bool{true, true}
		b.removeHalves(c, true, true)
		return nil
	default:
		return fmt.Errorf("ask(%s) asks for nothing", strings.Join(args, " "))
	}
	if where := b.add("ask", e); where.step != 0 {
		s.asks[askName(args)] = where
	}
	return nil
}

func at(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// askName is what ask and done have in common: ke, check, install c1.
func askName(args []string) string {
	switch at(args, 0) {
	case "spi", "install", "remove":
		return at(args, 0) + " " + at(args, 1)
	}
	return at(args, 0)
}

// done is a completion.
func (b *builder) done(w word) error {
	ev, s := b.r.Event, b.s
	if s == nil {
		return fmt.Errorf("done without an SA")
	}
	ev.IkeSa = s.number
	name := askName(w.args)
	at, open := s.asks[name]
	if !open {
		at = s.sent["done "+name] // a line may answer an ask twice
	}
	delete(s.asks, name)
	s.sent["done "+name] = at
	ev.Because = edge(record.Edge_EDGE_ANSWERS, at)
	c := s.child(w.arg(1))
	if name == w.arg(0)+" "+w.arg(1) && c == nil {
		return fmt.Errorf("there is no child %s", w.arg(1))
	}
	switch w.arg(0) {
	case "ke":
		ev.Kind = &record.Event_KeyShareMade{KeyShareMade: &record.KeyShareMade{Fresh: b.fresh(s)}}
	case "agree":
		if w.arg(1) == "failed" {
			ev.Kind = &record.Event_Agreed{Agreed: &record.Agreed{Failure: "public of low order"}}
			return nil
		}
		ev.Kind = &record.Event_Agreed{Agreed: &record.Agreed{}}
		if r := s.request(0); r != nil {
			b.cancel(r)
			s.open = slices.DeleteFunc(s.open, func(o *request) bool { return o == r })
		}
	case "make":
		ev.Kind = &record.Event_AuthMade{AuthMade: &record.AuthMade{Method: uint32(ike.AuthSharedKey), Auth: made(32, "ours")}}
	case "check":
		good := w.arg(1) != "bad"
		k := &record.Authenticated{Good: good, Method: uint32(ike.AuthSharedKey), Auth: made(32, "ours")}
		if !good {
			k.Reason = "wrong secret"
		}
		ev.Kind = &record.Event_Authenticated{Authenticated: k}
	case "spi":
		c.in, _ = b.halves(c)
		ev.Kind = &record.Event_SpiAllocated{SpiAllocated: &record.SPIAllocated{ChildSa: c.number, Spi: c.in}}
	case "install":
		return b.installed(w, c)
	case "remove":
		k := &record.ChildRemoved{ChildSa: c.number}
		if w.arg(2) == "refused" {
			k.Refusal = "no such process"
		}
		ev.Kind = &record.Event_ChildRemoved{ChildRemoved: k}
	default:
		return fmt.Errorf("done(%s) is no completion", w.arg(0))
	}
	return nil
}

func (b *builder) installed(w word, c *child) error {
	if c == nil {
		return fmt.Errorf("there is no child %s", w.arg(1))
	}
	if c.in == 0 {
		c.in, _ = b.halves(c)
	}
	if spi, err := strconv.ParseUint(strings.TrimPrefix(w.arg(2), "0x"), 16, 32); err == nil && strings.HasPrefix(w.arg(2), "0x") {
		c.in = uint32(spi)
	}
	_, c.out = b.halves(c)
	k := &record.ChildInstalled{ChildSa: c.number, InboundSpi: c.in, OutboundSpi: c.out, Path: b.path(w)}
	b.r.Event.Kind = &record.Event_ChildInstalled{ChildInstalled: k}
	if w.arg(2) == "refused" {
		k.Refusal = "no buffer space"
		return nil
	}
	c.halves = [2]bool{true, true}
	if c.phase == record.ChildPhase_CHILD_PHASE_INSTALLING {
		b.childTo(c, record.ChildPhase_CHILD_PHASE_INSTALLED)
	}
	return nil
}

func (b *builder) fresh(s *ikeSA) *record.Fresh {
	b.nextKey++
	s.key = b.nextKey
	spi := s.spiI
	if !s.initiator {
		spi = s.spiR
	}
	return &record.Fresh{KeyRef: s.key, Spi: spi, Nonce: made(32, "nonce", s.number), Group: uint32(ike.GroupCurve25519), Public: made(32, "ke", s.number)}
}
