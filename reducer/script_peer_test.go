package reducer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// Commands of the peer.

// saidBy is a message of the peer: `[ike1] ID EXCHANGE {payloads}` and options spii=, spir=, flags=, from=, reserved= (all
// reserved bits of the payloads are set).
type saidBy struct {
	sa       *IKESA
	header   ike.Header
	first    ike.PayloadType
	payloads []byte
	path     Path
}

func (s *script) message(words []string, response bool) (saidBy, error) {
	a := argsOf(words)
	m := saidBy{path: Path{usualLocal, usualRemote}}
	rest := a.words
	if n := a.sa(); n != 0 {
		if m.sa = s.n.s.SA(n); m.sa == nil {
			return m, fmt.Errorf("there is no ike%d", n)
		}
		m.path, rest = m.sa.Path, rest[1:]
	}
	if len(rest) < 3 {
		return m, fmt.Errorf("want: [ike1] ID EXCHANGE {payloads}")
	}
	id, err := strconv.ParseUint(rest[0], 10, 32)
	if err != nil {
		return m, err
	}
	m.header = ike.Header{Major: 2, MessageID: uint32(id), Exchange: exchangeOf(rest[1])}
	s.addressed(&m, response)
	for key, to := range map[string]*uint64{"spii": &m.header.SPIi, "spir": &m.header.SPIr} {
		if v, ok := a.options[key]; ok {
			if *to, err = strconv.ParseUint(v, 16, 64); err != nil {
				return m, err
			}
		}
	}
	if v, ok := a.options["flags"]; ok {
		m.header.Flags = ike.Flags(number(v))
	}
	if v, ok := a.options["from"]; ok {
		m.path.Remote = netip.MustParseAddrPort(v)
	}
	sp := speaker{exchange: m.header.Exchange, response: response, spii: m.header.SPIi, spir: m.header.SPIr, path: m.path, nonce: 0xbb,
		espSPI: 0xc0000001}
	if m.sa != nil {
		sp.espSPI = s.peersSPI(m.sa.Number)
		if m.sa.SetUp != nil {
			sp.ours = m.sa.SetUp.Ni
		}
	}
	m.first, m.payloads, err = sp.payloads(strings.Join(rest[2:], " "))
	if _, ok := a.options["reserved"]; ok {
		for at := 0; at < len(m.payloads); at += int(binary.BigEndian.Uint16(m.payloads[at+2:])) {
			m.payloads[at+1] |= 0x7f
		}
	}
	return m, err
}

// addressed fills in SPIs and flags as the peer would.
func (s *script) addressed(m *saidBy, response bool) {
	h := &m.header
	if response {
		h.Flags |= ike.FlagResponse
	}
	switch {
	case m.sa == nil:
		s.peers++
		h.SPIi = 0xbb<<56 | s.peers
		h.Flags |= ike.FlagInitiator
		return
	case !m.sa.Initiator:
		h.Flags |= ike.FlagInitiator
	}
	h.SPIi, h.SPIr = m.sa.SPIi, m.sa.SPIr
	if h.Exchange == ike.IKE_SA_INIT && m.sa.Initiator && h.SPIr == 0 {
		h.SPIr = 0xbb<<56 | 0xff
	}
}

func (s *script) peersSPI(sa uint64) uint32 {
	if s.spis[sa] == 0 {
		s.spis[sa] = 0xc0000000 | uint32(len(s.spis)+1)
	}
	return s.spis[sa]
}

func exchangeOf(name string) ike.ExchangeType {
	for x := range 256 {
		if ike.ExchangeType(x).String() == name {
			return ike.ExchangeType(x)
		}
	}
	return ike.ExchangeType(number(name))
}

// received is the event of a datagram with that content, as the door makes it.
func (m saidBy) received(because *record.Because) *record.Event {
	h := m.header
	h.NextPayload, h.Length = m.first, uint32(ike.HeaderLen+len(m.payloads))
	whole := append(h.Append(nil), m.payloads...)
	d := &record.DatagramReceived{Path: PathRecord(m.path), Datagram: whole, Digest: Digest(whole)}
	if h.Exchange != ike.IKE_SA_INIT {
		d.FirstPayload, d.Opened = uint32(m.first), m.payloads
	}
	ev := &record.Event{Because: because, Kind: &record.Event_DatagramReceived{DatagramReceived: d}}
	if m.sa != nil {
		ev.IkeSa = m.sa.Number
	}
	return ev
}

// peer-asks is a request of the peer. Without an SA it is an IKE_SA_INIT request for a new one, for which the keyring has
// made a key share of the group asked for, if it knows it.
//
//	peer-asks 0 IKE_SA_INIT {SAi1 KEi Ni NAT}        peer-asks ike1 2 INFORMATIONAL {D(IKE)}
func (s *script) peerAsks(words []string, _ string) error {
	m, err := s.message(words, false)
	if err != nil {
		return err
	}
	ev := m.received(root(record.Root_ROOT_PEER))
	if m.header.Exchange == ike.IKE_SA_INIT && !m.header.Response() {
		ev.GetDatagramReceived().Fresh = s.n.freshFor(m.first, m.payloads)
	}
	s.take(ev)
	return nil
}

// freshFor is what the door has the keyring make for an IKE_SA_INIT request, where it is one it could answer.
func (n *node) freshFor(first ike.PayloadType, b []byte) *record.Fresh {
	var p ike.Payloads
	if ike.ParsePayloads(first, b, &p) != nil {
		return nil
	}
	body, ok := p.First(ike.PayloadKE)
	if !ok {
		return nil
	}
	if ke, err := ike.ParseKeyExchange(body.Body); err == nil && publicLength(ke.Group) > 0 {
		return n.fresh(ke.Group)
	}
	return nil
}

// answer is a response of the peer to our request of that id.
//
//	answer ike1 0 IKE_SA_INIT {SAr1 KEr Nr NAT}        answer ike1 2 INFORMATIONAL {}
func (s *script) answer(words []string, _ string) error {
	m, err := s.message(words, true)
	if err != nil {
		return err
	}
	because := root(record.Root_ROOT_PEER)
	if m.sa != nil {
		if request, ok := m.sa.Window.Open(m.header.MessageID); ok {
			because = &record.Because{Edge: record.Edge_EDGE_REPLIES, Step: request.Recorded.Step, Index: request.Recorded.Index}
		}
	}
	s.take(m.received(because))
	return nil
}

// hint is something unprotected that says an SA may be gone at the peer.
//
//	hint ike1
func (s *script) hint(words []string, _ string) error {
	s.take(&record.Event{IkeSa: argsOf(words).sa(), Because: root(record.Root_ROOT_PEER), Kind: &record.Event_HintReceived{
		HintReceived: &record.HintReceived{Path: PathRecord(Path{usualLocal, usualRemote}), What: "INVALID_IKE_SPI"}}})
	return nil
}

// repeat is a request of the peer again, which we have answered.
//
//	repeat ike1 2        repeat ike1 2 other        repeat ike1 2 from=198.51.100.7:4500
func (s *script) repeat(words []string, _ string) error {
	a := argsOf(words)
	sa := s.n.s.SA(a.sa())
	if sa == nil || len(a.words) < 2 {
		return fmt.Errorf("want: repeat ike1 ID")
	}
	id := uint32(number(a.words[1]))
	path := sa.Path
	if v, ok := a.options["from"]; ok {
		path.Remote = netip.MustParseAddrPort(v)
	}
	ev := &record.Event{IkeSa: sa.Number, Because: root(record.Root_ROOT_PEER), Kind: &record.Event_RepeatReceived{
		RepeatReceived: &record.RepeatReceived{Path: PathRecord(path), MessageId: id, Digest: 1}}}
	if i := slices.IndexFunc(sa.Window.Answered, func(r Response) bool { return r.ID == id }); i >= 0 {
		r := sa.Window.Answered[i]
		ev.Because = &record.Because{Edge: record.Edge_EDGE_SERVES, Step: r.Recorded.Step, Index: r.Recorded.Index, Root: record.Root_ROOT_PEER}
		if !a.has("other") {
			ev.GetRepeatReceived().Digest = r.Request
		}
	}
	s.take(ev)
	return nil
}

// timers lists what is armed, soonest first.
func (s *script) timers([]string, string) error {
	type due struct {
		at   int64
		line string
	}
	var all []due
	for key, a := range s.n.timers {
		who := ""
		if key.sa != 0 {
			who = ikeName(key.sa) + " "
		}
		all = append(all, due{a.deadline, who + key.kind.String() + " " + text.Duration(a.deadline-s.n.now)})
	}
	slices.SortFunc(all, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line))
	})
	for _, d := range all {
		fmt.Fprintln(&s.out, d.line)
	}
	return nil
}

// show prints all of an SA, as what it differs from nothing by.
func (s *script) show(words []string, _ string) error {
	sa := s.n.s.SA(argsOf(words).sa())
	if sa == nil {
		return fmt.Errorf("there is no such SA")
	}
	for _, c := range Diff(nil, sa) {
		fmt.Fprintln(&s.out, text.ChangeLine(c))
	}
	return nil
}
