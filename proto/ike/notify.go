package ike

import "encoding/binary"

// The Notify payload (RFC 7296, section 3.10): an error or a status, about an SA if it has an SPI, with data whose form
// its type decides (notify_data.go).

// Notify is one Notify payload. Protocol and SPI are those of an existing SA where the type is about one (REKEY_SA,
// CHILD_SA_NOT_FOUND, INVALID_SELECTORS), else 0 and none; where they are given and should not be they are ignored
// (PROTOCOL.md X-62).
type Notify struct {
	Protocol ProtocolID
	SPI      []byte
	Type     NotifyType
	Data     []byte
}

const (
	errNotifyShort = Malformed("Notify payload cut short")
	errNotifySPI   = Malformed("Notify SPI longer than the payload")
)

// ParseNotify reads a Notify payload's body. Any type is well formed.
func ParseNotify(body []byte) (Notify, error) {
	if len(body) < 4 {
		return Notify{}, errNotifyShort
	}
	end := 4 + int(body[1])
	if end > len(body) {
		return Notify{}, errNotifySPI
	}
	return Notify{
		Protocol: ProtocolID(body[0]),
		SPI:      body[4:end:end],
		Type:     NotifyType(binary.BigEndian.Uint16(body[2:])),
		Data:     body[end:],
	}, nil
}

// PayloadType is Notify.
func (Notify) PayloadType() PayloadType { return PayloadNotify }

// AppendBody writes the Notify payload.
func (n Notify) AppendBody(dst []byte) []byte {
	dst = append(dst, byte(n.Protocol), count8(len(n.SPI), "octets of SPI"))
	dst = binary.BigEndian.AppendUint16(dst, uint16(n.Type))
	return append(append(dst, n.SPI...), n.Data...)
}
