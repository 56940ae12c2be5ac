package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// digest is how an octet string is known again without being kept.
type digest [16]byte

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

// short is the form in which the journal itself names a datagram.
func (d digest) short() uint64 { return binary.BigEndian.Uint64(d[:8]) }

// path is where a message came to and from, or leaves from and goes to.
type path struct {
	local, remote endpoint
}

// endpoint is a netip.AddrPort that is small and has no pointer: the table keeps many.
type endpoint struct {
	addr [16]byte // IPv4 as mapped into IPv6
	port uint16
}

func pathOf(p *record.Path) path {
	return path{endpointOf(p.GetLocal(), p.GetLocalPort()), endpointOf(p.GetRemote(), p.GetRemotePort())}
}

func endpointOf(addr []byte, port uint32) endpoint {
	a, ok := netip.AddrFromSlice(addr)
	if !ok {
		return endpoint{port: uint16(port)}
	}
	return endpoint{a.As16(), uint16(port)}
}

func (e endpoint) address() netip.Addr { return netip.AddrFrom16(e.addr).Unmap() }

func (e endpoint) addrPort() netip.AddrPort { return netip.AddrPortFrom(e.address(), e.port) }

func (e endpoint) known() bool { return e != endpoint{} }

func (e endpoint) String() string {
	if !e.known() {
		return "nowhere"
	}
	return e.addrPort().String()
}

// ref names an effect of an earlier step.
type ref struct {
	step  uint64
	index uint32
}

func refOf(b *record.Because) ref { return ref{b.GetStep(), b.GetIndex()} }

// mostSPIs is how many SPIs of the Deletes of one message are looked at (PROTOCOL.md D-05 allows 64).
const mostSPIs = 64

// message is one IKE message, received or sent: its header, and of its payloads what rules ask about. It aliases the
// record and is good only while that record is judged.
type message struct {
	id            uint32
	response      bool
	exchange      ike.ExchangeType
	fromInitiator bool // the I flag
	spiI, spiR    uint64
	protected     bool // in an SK or SKF payload
	digest        digest
	short         uint64 // the digest by which the journal names it
	size          int
	path          path
	datagram      []byte // nil of a copy

	repeat bool   // received: a request that was answered before, of which the journal has no octets
	copy   bool   // sent: recorded by an earlier step
	sends  uint32 // sent: with this one
	of     ref    // the Record it is, or is a copy of
	serves ref    // sent: the wish it came from
	keyRef uint64

	readable  bool // payloads were read to their end
	payloads  int
	ikeDelete int              // Delete payloads for the IKE SA
	spis      []uint32         // of Delete payloads for Child SAs
	errors    []ike.NotifyType // error notifies
	window    uint32           // of SET_WINDOW_SIZE; 0: none
	cookie    []byte           // of the first COOKIE notify
	cookieAt  int              // its place, from 1
	hasAuth   bool
	hasSA     bool
	noCookie  digest // of the payloads but COOKIE, for DOS-02
	natSource [2]int // NAT_DETECTION_SOURCE_IP notifies: that fit, and all
	natHere   [2]int // NAT_DETECTION_DESTINATION_IP
	cipher    uint16 // that an IKE_SA_INIT response chooses
}

// aead reports whether the cipher chosen puts 8 octets of explicit IV before the ciphertext (RFC 4106, 4309, 5282, 7634).
func (m *message) aead() bool {
	switch m.cipher {
	case ike.EncrAESCCM8, ike.EncrAESCCM12, ike.EncrAESCCM16, ike.EncrAESGCM8, ike.EncrAESGCM12, ike.EncrAESGCM16, ike.EncrChaCha20Poly1305:
		return true
	}
	return false
}

// empty is an INFORMATIONAL with nothing in it: a liveness check, or the answer to one.
func (m *message) empty() bool {
	return m.exchange == ike.INFORMATIONAL && m.readable && m.payloads == 0
}

// failed reports whether the message carries that error.
func (m *message) failed(t ike.NotifyType) bool {
	for _, e := range m.errors {
		if e == t {
			return true
		}
	}
	return false
}

// receivedMessage is the datagram or repeat of the event, if it is one.
func (a *Auditor) receivedMessage(n *now) *message {
	m := &a.in
	if r := n.ev.GetRepeatReceived(); r != nil {
		*m = message{id: r.GetMessageId(), repeat: true, short: r.GetDigest(), path: pathOf(r.GetPath()), spis: m.spis[:0], errors: m.errors[:0]}
		return m
	}
	d := n.ev.GetDatagramReceived()
	if d == nil {
		return nil
	}
	h, err := ike.ParseHeader(d.GetDatagram())
	if err != nil {
		return nil
	}
	*m = message{id: h.MessageID, response: h.Response(), exchange: h.Exchange, fromInitiator: h.Initiator(), spiI: h.SPIi, spiR: h.SPIr,
		protected: h.NextPayload == ike.PayloadSK || h.NextPayload == ike.PayloadSKF, size: len(d.GetDatagram()),
		path: pathOf(d.GetPath()), datagram: d.GetDatagram(), spis: m.spis[:0], errors: m.errors[:0]}
	m.digest = digestOf(d.GetDatagram())
	m.short = m.digest.short()
	if m.protected {
		a.read(m, ike.PayloadType(d.GetFirstPayload()), d.GetOpened())
	} else {
		a.read(m, h.NextPayload, d.GetDatagram()[ike.HeaderLen:])
	}
	return m
}

// sentMessage is what an effect puts on the wire, and the datagrams of the record that are left.
func (a *Auditor) sentMessage(n *now, s *ikeSA, e *record.Effect, datagrams [][]byte) (*message, [][]byte) {
	m := &a.out
	if r := e.GetResend(); r != nil {
		*m = message{id: r.GetMessageId(), response: r.GetResponse(), copy: true, sends: r.GetSends(), path: pathOf(r.GetPath()),
			of: refOf(e.GetBecause()), spis: m.spis[:0], errors: m.errors[:0]}
		return m, datagrams
	}
	r := e.GetRecord()
	if r == nil {
		return nil, datagrams
	}
	*m = message{id: r.GetMessageId(), response: r.GetResponse(), exchange: ike.ExchangeType(r.GetExchange()), fromInitiator: r.GetFromInitiator(),
		protected: !r.GetUnprotected(), sends: 1, path: pathOf(r.GetPath()), of: ref{n.step, n.index}, serves: refOf(e.GetBecause()),
		keyRef: r.GetKeyRef(), spis: m.spis[:0], errors: m.errors[:0]}
	if r.GetUnprotected() {
		m.spiI, m.spiR = r.GetSpiI(), r.GetSpiR()
		m.datagram = inTheClear(r)
	} else if len(datagrams) > 0 {
		m.datagram, datagrams = datagrams[0], datagrams[1:]
		if h, err := ike.ParseHeader(m.datagram); err == nil {
			m.spiI, m.spiR = h.SPIi, h.SPIr
		}
	}
	m.size = len(m.datagram)
	m.digest = digestOf(m.datagram)
	m.short = m.digest.short()
	a.read(m, ike.PayloadType(r.GetFirstPayload()), r.GetPayloads())
	return m, datagrams
}

// inTheClear is an unprotected message whole: the record has its header's parts and its payloads.
func inTheClear(r *record.RecordMessage) []byte {
	h := ike.Header{SPIi: r.GetSpiI(), SPIr: r.GetSpiR(), NextPayload: ike.PayloadType(r.GetFirstPayload()), Major: ike.MajorVersion,
		Exchange: ike.ExchangeType(r.GetExchange()), MessageID: r.GetMessageId(), Length: uint32(ike.HeaderLen + len(r.GetPayloads()))}
	if r.GetFromInitiator() {
		h.Flags |= ike.FlagInitiator
	}
	if r.GetResponse() {
		h.Flags |= ike.FlagResponse
	}
	return append(h.Append(nil), r.GetPayloads()...)
}

// read finds in the payloads what rules ask about.
func (a *Auditor) read(m *message, first ike.PayloadType, payloads []byte) {
	m.readable = ike.ParsePayloads(first, payloads, &a.payloads) == nil
	list := a.payloads.All()
	m.payloads = len(list)
	for i := range list {
		switch p := &list[i]; p.Type {
		case ike.PayloadDelete:
			d, err := ike.ParseDelete(p.Body)
			switch {
			case err != nil:
				m.readable = false
			case d.Protocol == ike.ProtocolIKE:
				m.ikeDelete++
			default:
				m.spis = append(m.spis, d.SPIs[:min(len(d.SPIs), mostSPIs-min(len(m.spis), mostSPIs))]...)
			}
		case ike.PayloadAUTH:
			m.hasAuth = true
		case ike.PayloadSA:
			m.hasSA = true
			if m.exchange == ike.IKE_SA_INIT && m.response {
				m.cipher = chosenCipher(p.Body)
			}
		case ike.PayloadNotify:
			a.notify(m, p.Body, i+1)
		}
	}
	if m.exchange == ike.IKE_SA_INIT && !m.response {
		m.noCookie = withoutCookie(list)
	}
}

// chosenCipher is the encryption algorithm of an SA payload with one proposal; 0 where there is none.
func chosenCipher(body []byte) uint16 {
	sa, err := ike.ParseSA(body)
	if err != nil || len(sa.Proposals) != 1 {
		return 0
	}
	for _, t := range sa.Proposals[0].Transforms {
		if t.Type == ike.TransformENCR {
			return t.ID
		}
	}
	return 0
}

func (a *Auditor) notify(m *message, body []byte, place int) {
	nt, err := ike.ParseNotify(body)
	if err != nil {
		m.readable = false
		return
	}
	switch {
	case nt.Type.IsError():
		m.errors = append(m.errors, nt.Type)
	case nt.Type == ike.NotifySetWindowSize:
		if w, err := ike.ParseUint32(nt.Data); err == nil {
			m.window = max(m.window, w)
		}
	case nt.Type == ike.NotifyCookie && m.cookieAt == 0:
		m.cookie, m.cookieAt = nt.Data, place
	case nt.Type == ike.NotifyNATDetectionSourceIP:
		count(&m.natSource, nt.Data, ike.NATDetectionHash(m.spiI, m.spiR, m.path.remote.addrPort()))
	case nt.Type == ike.NotifyNATDetectionDestinationIP:
		count(&m.natHere, nt.Data, ike.NATDetectionHash(m.spiI, m.spiR, m.path.local.addrPort()))
	}
}

func count(fits *[2]int, data []byte, want [ike.NATDetectionLen]byte) {
	if len(data) != len(want) {
		return
	}
	fits[1]++
	if string(data) == string(want[:]) {
		fits[0]++
	}
}

// withoutCookie is the digest of an IKE_SA_INIT request's payloads less COOKIE, which a retry may add and nothing else.
func withoutCookie(list []ike.Payload) digest {
	h := sha256.New()
	for i := range list {
		if nt, err := ike.ParseNotify(list[i].Body); list[i].Type == ike.PayloadNotify && err == nil && nt.Type == ike.NotifyCookie {
			continue
		}
		h.Write([]byte{byte(list[i].Type), byte(len(list[i].Body) >> 8), byte(len(list[i].Body))})
		h.Write(list[i].Body)
	}
	var sum [sha256.Size]byte
	return digest(h.Sum(sum[:0])[:16])
}
