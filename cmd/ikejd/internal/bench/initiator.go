package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
)

// The exchanges of one SA, as initiator: IKE_SA_INIT, IKE_AUTH, and INFORMATIONAL, empty and with the Delete (RFC 7296,
// sections 1.2, 1.4 and 1.4.1). What a daemon checks to be safe is left out where it costs the responder nothing; that it answered, and
// holds the key, is checked.

// initRequest is HDR, [N(COOKIE)], SAi1, KEi, Ni and the two hashes of section 2.23.
func (g *generator) initRequest(s *sa, cookie []byte) []byte {
	source := ike.NATDetectionHash(s.init.SPI, 0, s.local)
	destination := ike.NATDetectionHash(s.init.SPI, 0, s.remote)
	var bodies []ike.Body
	if cookie != nil {
		bodies = append(bodies, ike.NewNotify(ike.NotifyCookie, cookie))
	}
	return ike.AppendMessage(nil, s.header(ike.IKE_SA_INIT, 0), append(bodies, ikeOffer,
		ike.KeyExchange{Group: ike.GroupCurve25519, Data: s.init.Public}, ike.Nonce{Data: s.init.Nonce},
		ike.NewNotify(ike.NotifyNATDetectionSourceIP, source[:]), ike.NewNotify(ike.NotifyNATDetectionDestinationIP, destination[:]))...)
}

// Two proposals: all responders have one of them.
var ikeOffer = ike.SA{Proposals: []ike.Proposal{
	{Number: 1, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
		{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 256}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
		{Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)}}},
	{Number: 2, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
		{Type: ike.TransformENCR, ID: ike.EncrAESCBC, KeyLength: 256}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
		{Type: ike.TransformINTEG, ID: ike.IntegHMACSHA2_256_128}, {Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)}}}}}

// errAskedAgain: the answer is to be followed by the same request once more, with its cookie.
var errAskedAgain = errors.New("cookie")

// initAnswered reads the responder's choice, agrees the keys and makes the IKE_AUTH request.
func (g *generator) initAnswered(s *sa, h ike.Header, datagram []byte) ([]byte, error) {
	var payloads ike.Payloads
	if err := ike.ParsePayloads(h.NextPayload, datagram[ike.HeaderLen:], &payloads); err != nil {
		return nil, fmt.Errorf("IKE_SA_INIT response: %w", err)
	}
	for _, n := range notifies(&payloads) {
		switch {
		case n.Type == ike.NotifyCookie:
			return g.initRequest(s, n.Data), errAskedAgain
		case n.Type.IsError():
			return nil, fmt.Errorf("IKE_SA_INIT refused: %v", n.Type)
		}
	}
	chosen, err := bodyOf(&payloads, ike.PayloadSA, ike.ParseSA)
	share, err2 := bodyOf(&payloads, ike.PayloadKE, ike.ParseKeyExchange)
	nonce, err3 := bodyOf(&payloads, ike.PayloadNonce, ike.ParseNonce)
	if err := errors.Join(err, err2, err3, chosen.CheckChoice(0)); err != nil {
		return nil, fmt.Errorf("IKE_SA_INIT response: %w", err)
	}
	if g.o.HalfOpen {
		return nil, nil
	}
	s.spir, s.nr = h.SPIr, append([]byte(nil), nonce.Data...)
	s.response = append([]byte(nil), datagram...)
	if behindNAT(&payloads, h, s.local, s.remote) {
		s.local, s.remote = g.nat, netip.AddrPortFrom(s.remote.Addr(), g.o.NATPort)
	}
	suite := keys.Suite{Group: uint16(ike.GroupCurve25519)}
	for _, t := range chosen.Proposals[0].Transforms {
		switch t.Type {
		case ike.TransformENCR:
			suite.Encr, suite.KeyLength = t.ID, t.KeyLength
		case ike.TransformPRF:
			suite.PRF = t.ID
		case ike.TransformINTEG:
			suite.Integ = t.ID
		}
	}
	if err := g.keyring.Agree(s.init.Ref, keys.Agreement{Suite: suite, Initiator: true, SPIi: s.init.SPI, SPIr: s.spir,
		Ni: s.init.Nonce, Nr: s.nr, PeerPublic: share.Data}); err != nil {
		return nil, err
	}
	return g.authRequest(s)
}

// authRequest is HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}.
func (g *generator) authRequest(s *sa) ([]byte, error) {
	id := g.o.localID(s.number)
	auth, err := g.keyring.Auth(s.init.Ref, keys.AuthInput{ForInitiator: true, RealMessage: s.request, PeerNonce: s.nr,
		IDBody: id.AppendBody(nil), PSK: g.o.PSK})
	if err != nil {
		return nil, err
	}
	bodies := []ike.Body{id}
	if remote, ok := g.o.remoteID(); ok {
		bodies = append(bodies, remote)
	}
	spi := binary.BigEndian.AppendUint32(nil, g.childSPI(s))
	return g.seal(s, 0, ike.IKE_AUTH, 1, append(bodies, ike.Auth{Method: ike.AuthSharedKey, Data: auth}, childOffer(spi),
		ike.TrafficSelectors{Initiator: true, Selectors: anywhere}, ike.TrafficSelectors{Selectors: anywhere})...)
}

// childSPI is the ESP SPI on which s would receive.
func (g *generator) childSPI(s *sa) uint32 { return g.firstSPI + uint32(s.number) }

func childOffer(spi []byte) ike.SA {
	return ike.SA{Proposals: []ike.Proposal{
		{Number: 1, Protocol: ike.ProtocolESP, SPI: spi, Transforms: []ike.Transform{
			{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 256}, {Type: ike.TransformSN, ID: ike.SN32}}},
		{Number: 2, Protocol: ike.ProtocolESP, SPI: spi, Transforms: []ike.Transform{
			{Type: ike.TransformENCR, ID: ike.EncrAESCBC, KeyLength: 256}, {Type: ike.TransformINTEG, ID: ike.IntegHMACSHA2_256_128},
			{Type: ike.TransformSN, ID: ike.SN32}}}}}
}

// anywhere is every address; the responder narrows it to what it is configured for (section 2.9).
var anywhere = []ike.Selector{{Type: ike.TSIPv4AddrRange, EndPort: 0xffff,
	Start: netip.IPv4Unspecified(), End: netip.AddrFrom4([4]byte{255, 255, 255, 255})}}

// authAnswered checks the responder's proof, and takes note of the Child SA where there is one as well.
func (g *generator) authAnswered(s *sa, datagram []byte) error {
	var payloads ike.Payloads
	if err := g.open(s, datagram, &payloads); err != nil {
		return err
	}
	auth, missing := bodyOf(&payloads, ike.PayloadAUTH, ike.ParseAuth)
	id, ok := payloads.First(ike.PayloadIDr)
	if missing != nil || !ok {
		for _, n := range notifies(&payloads) {
			return fmt.Errorf("IKE_AUTH refused: %v", n.Type)
		}
		return errors.New("IKE_AUTH response without IDr or AUTH")
	}
	in := keys.AuthInput{RealMessage: s.response, PeerNonce: s.init.Nonce, IDBody: id.Body, PSK: g.o.PSK}
	if !g.keyring.CheckAuth(s.init.Ref, in, auth.Data) {
		return errors.New("the responder's AUTH does not fit the pre-shared key")
	}
	chosen, err := bodyOf(&payloads, ike.PayloadSA, ike.ParseSA)
	if err == nil && len(chosen.Proposals) == 1 && len(chosen.Proposals[0].SPI) == 4 {
		s.child = binary.BigEndian.Uint32(chosen.Proposals[0].SPI)
	}
	return nil
}

// probeRequest is HDR, SK {}: are you there (section 1.4)?
func (g *generator) probeRequest(s *sa) ([]byte, error) {
	return g.seal(s, 0, ike.INFORMATIONAL, s.id+1)
}

// deleteRequest is HDR, SK {D} with nothing but the IKE SA in it.
func (g *generator) deleteRequest(s *sa) ([]byte, error) {
	return g.seal(s, 0, ike.INFORMATIONAL, s.id+1, ike.Delete{Protocol: ike.ProtocolIKE})
}

// deleted is the answer to that. The keys go with the SA.
func (g *generator) deleted(s *sa) {
	s.up = false
	g.keyring.Destroy(s.init.Ref)
}

// authentic says that the answer is the responder's: of an answer to a probe or a Delete that is the whole meaning.
func (g *generator) authentic(s *sa, datagram []byte) bool {
	_, _, err := g.keyring.Open(s.init.Ref, datagram)
	return err == nil
}

func (s *sa) header(exchange ike.ExchangeType, id uint32) ike.Header {
	return ike.Header{SPIi: s.init.SPI, SPIr: s.spir, Exchange: exchange, Flags: ike.FlagInitiator, MessageID: id}
}

// seal makes a protected message; more is a flag beside the initiator's.
func (g *generator) seal(s *sa, more ike.Flags, exchange ike.ExchangeType, id uint32, bodies ...ike.Body) ([]byte, error) {
	first, plain := ike.AppendPayloads(nil, bodies...)
	h := s.header(exchange, id)
	h.Flags |= more
	return g.keyring.Seal(nil, s.init.Ref, h, first, plain)
}

func (g *generator) open(s *sa, datagram []byte, into *ike.Payloads) error {
	first, plain, err := g.keyring.Open(s.init.Ref, datagram)
	if err != nil {
		return err
	}
	return ike.ParsePayloads(first, plain, into)
}

func bodyOf[T any](payloads *ike.Payloads, t ike.PayloadType, parse func([]byte) (T, error)) (body T, err error) {
	p, ok := payloads.First(t)
	if !ok {
		return body, fmt.Errorf("no %v payload", t)
	}
	return parse(p.Body)
}

func notifies(payloads *ike.Payloads) []ike.Notify {
	var all []ike.Notify
	for _, p := range payloads.All() {
		if p.Type == ike.PayloadNotify {
			if n, err := ike.ParseNotify(p.Body); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// behindNAT: the responder says it sent from, or to, other addresses than we see (section 2.23).
func behindNAT(payloads *ike.Payloads, h ike.Header, local, remote netip.AddrPort) bool {
	source, destination := ike.NATDetectionHash(h.SPIi, h.SPIr, remote), ike.NATDetectionHash(h.SPIi, h.SPIr, local)
	for _, n := range notifies(payloads) {
		switch n.Type {
		case ike.NotifyNATDetectionSourceIP:
			if string(n.Data) != string(source[:]) {
				return true
			}
		case ike.NotifyNATDetectionDestinationIP:
			if string(n.Data) != string(destination[:]) {
				return true
			}
		}
	}
	return false
}
