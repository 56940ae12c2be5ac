package ike

// The Nonce payload (RFC 7296, sections 3.9 and 2.10).

// Lengths of a nonce in octets: the RFC's. That it is at least half the PRF's key long is for who chooses the PRF.
const (
	MinNonce = 16
	MaxNonce = 256
)

// Nonce is Ni or Nr: which, the message says.
type Nonce struct {
	Data []byte
}

const errNonceLength = Malformed("nonce is not 16 to 256 octets")

// ParseNonce reads a Nonce payload's body.
func ParseNonce(body []byte) (Nonce, error) {
	if len(body) < MinNonce || len(body) > MaxNonce {
		return Nonce{}, errNonceLength
	}
	return Nonce{Data: body}, nil
}

// PayloadType is Nonce.
func (Nonce) PayloadType() PayloadType { return PayloadNonce }

// AppendBody writes the Nonce payload.
func (n Nonce) AppendBody(dst []byte) []byte { return append(dst, n.Data...) }
