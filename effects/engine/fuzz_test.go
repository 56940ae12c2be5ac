package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// FuzzDoor hands datagrams to an engine that has SAs in several phases. The port says how: as it is; with the SPIs of one
// of the SAs; or as the content of a message that is protected with that SA's keys. The reducer must never fail, no SA may
// come into a state that the tables forbid, who has no keys may change nothing, and the journal must replay.
func FuzzDoor(f *testing.F) {
	s := newSession(&peer{t: f}, true)
	s.ni = nonce()
	request := ike.AppendMessage(nil, ike.Header{SPIi: 1, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}, s.initBodies()...)
	_, del := ike.AppendPayloads(nil, ike.Delete{Protocol: ike.ProtocolESP, SPIs: []uint32{0x1234}})
	_, notify := ike.AppendPayloads(nil, ike.NewNotify(ike.NotifyCookie, []byte{1}))
	for port := range uint16(24) {
		f.Add([]byte{}, port)
		f.Add(request, port)
		f.Add(append([]byte{37, 0, 42, 0}, append(del, 0)...), port)
		f.Add(append([]byte{37, 0, 42, 0, 0, 0, 0, 8, 1, 0, 0, 1}, 0), port)
		f.Add(append([]byte{35, 0, 41, 0}, append(notify, 0)...), port)
		f.Add(append([]byte{36, 0x20, 33, 1}, append(del, 0)...), port)
	}
	h := &house{}
	f.Cleanup(func() { h.leave(f) })
	f.Fuzz(func(t *testing.T, datagram []byte, port uint16) {
		h.enter(t)
		h.try(t, datagram, port)
	})
}

// house is a node with SAs, and those who hold their other ends.
type house struct {
	n        *node
	sessions [4]*session // half-open, established, lingering, of which we are the initiator
	tries    int
}

// lasting is a test that does not clean up at its end: the house outlives it.
type lasting struct{ testing.TB }

func (lasting) Cleanup(func()) {}

func (l lasting) TempDir() string {
	dir, err := os.MkdirTemp("", "door")
	if err != nil {
		l.Fatal(err)
	}
	return dir
}

// enter has every SA of the house in its phase. After some hundred datagrams the house is another one, and the journal of
// the old one is replayed.
func (h *house) enter(t testing.TB) {
	if h.tries++; h.n == nil || h.tries%500 == 0 {
		h.leave(t)
		h.n = target(lasting{t})
		h.n.config.Settings.HalfOpen, h.n.config.Settings.HalfOpenLeast = 2000*millisecond, 2000*millisecond
		h.n.config.Settings.RetransmitSends = 400
		h.n.limits = engine.Limits{CookiesAll: 1 << 20, CookiesSource: 1 << 20, HalfOpenSource: 100, BadICV: 1 << 30}
		h.n.start("secret")
	}
	h.n.t, h.n.wire.t = lasting{t}, lasting{t}
	for _, s := range h.sessions {
		if s != nil {
			s.p.t = lasting{t}
		}
	}
	for i, want := range []reducer.Phase{reducer.HalfOpen, reducer.Established, reducer.Lingering, reducer.HalfOpen} {
		if s := h.sessions[i]; s == nil || h.sa(s) == nil || h.sa(s).Phase != want {
			h.sessions[i] = h.make(i)
		}
	}
}

func (h *house) leave(t testing.TB) {
	if h.n == nil {
		return
	}
	h.n.t, h.n.wire.t = lasting{t}, lasting{t}
	h.n.stop()
	if err := os.RemoveAll(h.n.dir); err != nil {
		t.Error(err)
	}
	*h = house{tries: h.tries}
}

// sa is the node's end of a session.
func (h *house) sa(s *session) *reducer.IKESA {
	for _, sa := range h.n.sas() {
		if sa.SPIi == s.spii && (sa.SPIr == s.spir || sa.SPIr == 0) {
			return sa
		}
	}
	return nil
}

// peerPort is where no answer to a fuzzed datagram goes.
const peerPort = 501

// nextInit passes over what the node still sends again for SAs that the peer at this address had before.
func (p *peer) nextInit() []byte {
	for {
		message := p.next()
		if h, err := ike.ParseHeader(message); err != nil || h.Exchange == ike.IKE_SA_INIT {
			return message
		}
	}
}

func (h *house) make(i int) *session {
	p := newPeer(h.n, fmt.Sprintf("192.0.2.%d:%d", 100+i, peerPort))
	switch i {
	case 0:
		return p.open()
	case 1:
		return p.establish()
	case 2:
		s := p.establish()
		p.send(s.informational(2, ike.Delete{Protocol: ike.ProtocolIKE}))
		s.read(p.next())
		return s
	}
	h.n.running().engine.Post(&record.Event{Because: operator(), Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{
		Connection: "gw", Path: reducer.PathRecord(reducer.Path{Local: h.n.address, Remote: p.address})}}})
	s := p.take(p.nextInit())
	s.respond(s.initBodies()...)
	h.n.wait("in IKE_AUTH", func() bool { sa := h.sa(s); return sa != nil && sa.SetUp != nil && sa.SetUp.Stage == reducer.AuthSent })
	return s
}

func (h *house) try(t *testing.T, datagram []byte, port uint16) {
	s := h.sessions[port%4]
	sa, up := h.sa(s), h.sa(h.sessions[1])
	if sa == nil {
		return // half-open for too long since it was looked at
	}
	message, sealed := bytes.Clone(datagram), port/4%3 == 2
	switch {
	case port/4%3 == 1 && len(message) >= ike.HeaderLen:
		binary.BigEndian.PutUint64(message, s.spii)
		binary.BigEndian.PutUint64(message[8:], s.spir)
		binary.BigEndian.PutUint32(message[24:], uint32(len(message)))
	case sealed && len(message) >= 5: // exchange, flags, first payload, how far the id is from the next, content
		header := s.headerOf(ike.ExchangeType(message[0]), sa.Window.NextIn+uint32(int8(message[3])), ike.Flags(message[1])&ike.FlagResponse)
		if header.Response() && len(sa.Window.InFlight) > 0 {
			header.MessageID = sa.Window.InFlight[0].ID
		}
		message = s.seal(header, ike.PayloadType(message[2]), message[4:])
	}
	from := netip.AddrPortFrom(s.p.address.Addr(), max(port, 1))
	if from.Port() == peerPort || port/4%3 == 0 {
		from = netip.MustParseAddrPort("192.0.2.99:4500") // a stranger, who has his own share of half-open SAs
	}
	h.n.running().engine.Receive([]udp.Datagram{{Local: h.n.address, Remote: from, Bytes: message}})
	// Less than the 10 s after which the fuzzer takes a try for a deadlock and shows nothing.
	for began := time.Now(); !engine.Quiet(h.n.running().engine); {
		if runtime.Gosched(); time.Since(began) > 8*time.Second {
			t.Fatal("the engine does not come to rest")
		}
	}
	if poisoned := h.n.running().engine.Stats().Poisoned; poisoned != 0 {
		t.Fatal("the reducer failed")
	}
	if !sealed && h.sa(h.sessions[1]) != up {
		t.Fatal("who has no keys changed an SA that is up")
	}
	for _, sa := range h.n.sas() {
		if problem := forbidden(sa); problem != "" {
			t.Fatalf("ike%d, %v: %s", sa.Number, sa.Phase, problem)
		}
	}
}

// forbidden is what PROTOCOL.md, sections W, D and X, do not allow of an SA.
func forbidden(sa *reducer.IKESA) string {
	switch open := sa.Window.InFlight; {
	case sa.Phase < reducer.HalfOpen || sa.Phase > reducer.Lingering:
		return "not a phase of the State"
	case (sa.Phase == reducer.HalfOpen) != (sa.SetUp != nil):
		return "half-open without a set-up, or the other way round"
	case sa.Phase == reducer.Lingering && (sa.KeyRef != 0 || len(open) > 0 || len(sa.Children) > 0 || len(sa.Window.Answered) != 1):
		return "D-21"
	case sa.Phase == reducer.Deleting && len(open) != 1:
		return "deleting without a Delete"
	case sa.Phase != reducer.Lingering && sa.KeyRef == 0 && (sa.SetUp == nil || sa.SetUp.Stage != reducer.WaitShare):
		return "without keys"
	case len(open) > int(sa.Window.PeerSize), len(sa.Window.Answered) > 1:
		return "W-06, W-07"
	case sa.Phase == reducer.HalfOpen && !sa.Initiator && (len(open) > 0 || len(sa.Children) > 1):
		return "X-05"
	}
	return ""
}
