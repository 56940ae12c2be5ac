package reducer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Messages of the peer, in the words in which the printer says ours: {SAi1 KEi Ni}, {D(IKE)}, {N(COOKIE=0102)}. What a
// word means without more is what a peer of the default configuration would send.
//
//	SA...(20/256 prf5 ke31; 12/256 integ12 prf5 ke19)   proposals; spi=c0000001, num=2, proto=2 where they are special
//	KEi(19)  KEi(31 len=31)  Ni(len=15)  Ni(ours)        group and length, our own nonce back; Ni(of=1) is 01 all through
//	N(COOKIE=0102)  N(40000)  N(REKEY_SA:c0000001)       notify, with data or an ESP SPI in hex
//	IDi(west.example)  IDi(1 c0000201)                   a name, or type and data in hex
//	AUTH  AUTH(2 abcd)  TSi(10.1.0.0/16 10.9.0.1..10.9.0.5[6/80])
//	NAT  NAT(peer)  NAT(us)                              the two hashes, right or as behind a NAT
//	P(200 abcd)  P!(200)                                 any payload; ! is critical

// speaker knows what the words of one message depend on.
type speaker struct {
	exchange   ike.ExchangeType
	response   bool
	spii, spir uint64
	path       Path   // as we see it
	espSPI     uint32 // the peer's
	nonce      byte
	ours       []byte // our own nonce
}

// payloads is the message said by text, as first payload type and octets.
func (sp speaker) payloads(text string) (ike.PayloadType, []byte, error) {
	inside, opened := strings.CutPrefix(text, "{")
	inside, closed := strings.CutSuffix(inside, "}")
	if !opened || !closed {
		return 0, nil, fmt.Errorf("message %q is not in braces", text)
	}
	var bodies []ike.Body
	for _, word := range splitWords(inside) {
		name, args, _ := strings.Cut(strings.TrimSuffix(word, ")"), "(")
		more, err := sp.word(name, args)
		if err != nil {
			return 0, nil, fmt.Errorf("%s: %w", word, err)
		}
		bodies = append(bodies, more...)
	}
	first, b := ike.AppendPayloads(nil, bodies...)
	at := 0
	for _, body := range bodies {
		if _, critical := body.(critical); critical {
			b[at+1] = 0x80
		}
		at += int(binary.BigEndian.Uint16(b[at+2:]))
	}
	return first, b, nil
}

// critical is a payload that must be understood.
type critical struct{ ike.Payload }

// splitWords splits at the spaces that are not in parentheses.
func splitWords(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(c rune) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		return c == ' ' && depth == 0
	})
}

func (sp speaker) word(name, args string) ([]ike.Body, error) {
	fields := strings.Fields(args)
	switch {
	case strings.HasPrefix(name, "SA"):
		sa, err := sp.sa(args)
		return []ike.Body{sa}, err
	case name == "KEi", name == "KEr":
		return sp.ke(fields)
	case args == "ours":
		return []ike.Body{ike.Nonce{Data: sp.ours}}, nil
	case name == "Ni", name == "Nr":
		length, octet := 32, sp.nonce
		for _, f := range fields {
			if of, ok := strings.CutPrefix(f, "of="); ok {
				octet = byte(number(of))
			} else {
				length = number(strings.TrimPrefix(f, "len="))
			}
		}
		data := bytes.Repeat([]byte{octet}, length)
		return []ike.Body{ike.Nonce{Data: data}}, nil
	case name == "N":
		return notifyWord(args)
	case name == "IDi", name == "IDr":
		id := ike.Identification{Initiator: name == "IDi", Type: ike.IDFQDN, Data: []byte(args)}
		if len(fields) == 2 {
			data, err := hex.DecodeString(fields[1])
			id.Type, id.Data = ike.IDType(number(fields[0])), data
			return []ike.Body{id}, err
		}
		return []ike.Body{id}, nil
	case name == "AUTH":
		auth := ike.Auth{Method: ike.AuthSharedKey, Data: []byte("auth of the peer")}
		if len(fields) > 0 {
			auth.Method, auth.Data = ike.AuthMethod(number(fields[0])), nil
		}
		return []ike.Body{auth}, nil
	case name == "TSi", name == "TSr":
		ts := ike.TrafficSelectors{Initiator: name == "TSi"}
		for _, f := range fields {
			s, err := selectorOf(f)
			if err != nil {
				return nil, err
			}
			ts.Selectors = append(ts.Selectors, s)
		}
		return []ike.Body{ts}, nil
	case name == "D":
		return deleteWord(fields)
	case name == "NAT":
		return sp.nat(args), nil
	case name == "P", name == "P!":
		p := ike.Payload{Type: ike.PayloadType(number(fields[0]))}
		if len(fields) > 1 {
			body, err := hex.DecodeString(fields[1])
			if err != nil {
				return nil, err
			}
			p.Body = body
		}
		if name == "P!" {
			return []ike.Body{critical{p}}, nil
		}
		return []ike.Body{p}, nil
	}
	return nil, fmt.Errorf("no such word")
}

// nat are the hashes a peer sends: source is its address, destination ours.
func (sp speaker) nat(who string) []ike.Body {
	source := ike.NATDetectionHash(sp.spii, sp.spir, sp.path.Remote)
	destination := ike.NATDetectionHash(sp.spii, sp.spir, sp.path.Local)
	if strings.Contains(who, "peer") {
		source[0] ^= 1
	}
	if strings.Contains(who, "us") {
		destination[0] ^= 1
	}
	return []ike.Body{ike.Notify{Type: ike.NotifyNATDetectionSourceIP, Data: source[:]},
		ike.Notify{Type: ike.NotifyNATDetectionDestinationIP, Data: destination[:]}}
}
