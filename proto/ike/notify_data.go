package ike

import (
	"crypto/sha1" //nolint:gosec // the hash of NAT_DETECTION is SHA-1 by section 2.23; it protects nothing
	"encoding/binary"
	"net/netip"
)

// What stands in a Notify's data, by type (RFC 7296, section 3.10.1; RFC 4555 for addresses, RFC 6311 for counters,
// RFC 7427 for hashes). A constructor makes the Notify, a reader takes its Data apart. Where the form is wrong the
// reader's error is Malformed, but mostly such a Notify is as if it were not there: PROTOCOL.md says where it is worse.

// Lengths in octets: the RFCs'.
const (
	MinCookie       = 1 // section 2.6
	MaxCookie       = 64
	MinCookie2      = 8 // RFC 4555, section 4.2.5
	MaxCookie2      = 64
	NATDetectionLen = sha1.Size
)

const (
	errNotifyDataLength = Malformed("notify data is not of its type's length")
	errRekeySPI         = Malformed("REKEY_SA does not name one Child SA")
)

// CheckCookie refuses a COOKIE that is not 1 to 64 octets. As initiator we do not echo such a one (PROTOCOL.md N-30).
func CheckCookie(data []byte) error { return checkRange(data, MinCookie, MaxCookie) }

// CheckCookie2 refuses a COOKIE2 that is not 8 to 64 octets.
func CheckCookie2(data []byte) error { return checkRange(data, MinCookie2, MaxCookie2) }

func checkRange(data []byte, low, high int) error {
	if len(data) < low || len(data) > high {
		return errNotifyDataLength
	}
	return nil
}

// NewNotify is a Notify without SPI: every type but those about a Child SA. data may be nil.
func NewNotify(t NotifyType, data []byte) Notify { return Notify{Type: t, Data: data} }

// ChildNotify is a Notify about a Child SA: REKEY_SA with the SPI its sender receives on, or CHILD_SA_NOT_FOUND, which
// copies protocol and SPI from the REKEY_SA it answers (section 2.25).
func ChildNotify(t NotifyType, protocol ProtocolID, spi uint32) Notify {
	return Notify{Type: t, Protocol: protocol, SPI: binary.BigEndian.AppendUint32(nil, spi)}
}

// ChildSPI is the Child SA a REKEY_SA or CHILD_SA_NOT_FOUND is about: protocol AH or ESP, an SPI of 4 octets, else it is
// malformed (PROTOCOL.md X-53, N-58).
func (n Notify) ChildSPI() (ProtocolID, uint32, error) {
	if n.Protocol != ProtocolAH && n.Protocol != ProtocolESP || len(n.SPI) != 4 {
		return ProtocolNone, 0, errRekeySPI
	}
	return n.Protocol, binary.BigEndian.Uint32(n.SPI), nil
}

// InvalidKEPayload says which method the KE should have been of (section 1.2).
func InvalidKEPayload(g Group) Notify {
	return NewNotify(NotifyInvalidKEPayload, binary.BigEndian.AppendUint16(nil, uint16(g)))
}

// ParseInvalidKE reads the data of an INVALID_KE_PAYLOAD.
func ParseInvalidKE(data []byte) (Group, error) {
	if len(data) != 2 {
		return GroupNone, errNotifyDataLength
	}
	return Group(binary.BigEndian.Uint16(data)), nil
}

// UnsupportedCritical names the payload type we had to know and do not (section 2.5).
func UnsupportedCritical(t PayloadType) Notify {
	return NewNotify(NotifyUnsupportedCriticalPayload, []byte{byte(t)})
}

// ParseUnsupportedCritical reads the data of an UNSUPPORTED_CRITICAL_PAYLOAD.
func ParseUnsupportedCritical(data []byte) (PayloadType, error) {
	if len(data) != 1 {
		return NoNextPayload, errNotifyDataLength
	}
	return PayloadType(data[0]), nil
}

// Uint32Notify is a Notify whose data is one number of four octets: SET_WINDOW_SIZE (messages), INVALID_MESSAGE_ID (the
// id), AUTH_LIFETIME (seconds).
func Uint32Notify(t NotifyType, v uint32) Notify {
	return NewNotify(t, binary.BigEndian.AppendUint32(nil, v))
}

// ParseUint32 reads what Uint32Notify writes.
func ParseUint32(data []byte) (uint32, error) {
	if len(data) != 4 {
		return 0, errNotifyDataLength
	}
	return binary.BigEndian.Uint32(data), nil
}

// NATDetectionHash is the data of NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP for one end of a message's
// path (section 2.23): SHA-1 of both SPIs as in the header, the address, 4 or 16 octets, and the port. An IPv4 address
// mapped into IPv6, as a dual-stack socket gives it, counts as the IPv4 address that is on the wire.
func NATDetectionHash(spii, spir uint64, addr netip.AddrPort) [NATDetectionLen]byte {
	var buf [8 + 8 + 16 + 2]byte
	b := binary.BigEndian.AppendUint64(buf[:0], spii)
	b = binary.BigEndian.AppendUint64(b, spir)
	if ip := addr.Addr().Unmap(); ip.Is4() {
		octets := ip.As4()
		b = append(b, octets[:]...)
	} else {
		octets := ip.As16()
		b = append(b, octets[:]...)
	}
	return sha1.Sum(binary.BigEndian.AppendUint16(b, addr.Port()))
}

// SignatureHashes lists the hashes we verify signatures with (RFC 7427, section 4).
func SignatureHashes(hashes ...HashAlgorithm) Notify {
	data := make([]byte, 0, 2*len(hashes))
	for _, h := range hashes {
		data = binary.BigEndian.AppendUint16(data, uint16(h))
	}
	return NewNotify(NotifySignatureHashAlgorithms, data)
}

// ParseSignatureHashes reads the data of SIGNATURE_HASH_ALGORITHMS.
func ParseSignatureHashes(data []byte) ([]HashAlgorithm, error) {
	if len(data)%2 != 0 {
		return nil, errNotifyDataLength
	}
	hashes := make([]HashAlgorithm, 0, len(data)/2)
	for ; len(data) > 0; data = data[2:] {
		hashes = append(hashes, HashAlgorithm(binary.BigEndian.Uint16(data)))
	}
	return hashes, nil
}

// AdditionalAddress announces a further address of ours (RFC 4555, section 3.6).
func AdditionalAddress(a netip.Addr) Notify {
	if a = a.Unmap(); a.Is4() {
		return NewNotify(NotifyAdditionalIP4Address, a.AsSlice())
	}
	return NewNotify(NotifyAdditionalIP6Address, a.AsSlice())
}

// ParseAdditionalAddress reads an ADDITIONAL_IP4_ADDRESS or ADDITIONAL_IP6_ADDRESS.
func ParseAdditionalAddress(n Notify) (netip.Addr, error) {
	want := 4
	if n.Type == NotifyAdditionalIP6Address {
		want = 16
	}
	if len(n.Data) != want {
		return netip.Addr{}, errNotifyDataLength
	}
	a, _ := netip.AddrFromSlice(n.Data)
	return a, nil
}

// MessageIDSync is the data of IKEV2_MESSAGE_ID_SYNC (RFC 6311, section 5.1): after a takeover, the ids from which each
// direction goes on. Nonce is the sender's in the request, and the same in the response.
type MessageIDSync struct {
	Nonce        uint32
	ExpectedSend uint32 // the next id the sender of this Notify will use in a request
	ExpectedRecv uint32 // the next id it expects in a request
}

// Notify makes the Notify.
func (m MessageIDSync) Notify() Notify {
	data := binary.BigEndian.AppendUint32(nil, m.Nonce)
	data = binary.BigEndian.AppendUint32(data, m.ExpectedSend)
	return NewNotify(NotifyMessageIDSync, binary.BigEndian.AppendUint32(data, m.ExpectedRecv))
}

// ParseMessageIDSync reads the data of an IKEV2_MESSAGE_ID_SYNC.
func ParseMessageIDSync(data []byte) (MessageIDSync, error) {
	if len(data) != 12 {
		return MessageIDSync{}, errNotifyDataLength
	}
	return MessageIDSync{
		Nonce:        binary.BigEndian.Uint32(data),
		ExpectedSend: binary.BigEndian.Uint32(data[4:]),
		ExpectedRecv: binary.BigEndian.Uint32(data[8:]),
	}, nil
}
