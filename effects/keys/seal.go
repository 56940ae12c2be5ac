package keys

import (
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// Part says which message of one id is sealed, where the id does not say it all. The zero value is the usual: an SK
// payload, no takeover.
type Part struct {
	Takeover        uint16 // W-29; at most 0x7fff
	Fragment, Total uint8  // RFC 7383; both 0 for an SK payload, else 1 <= Fragment <= Total
}

// Seal appends to dst the whole datagram: header, SK header, IV, ciphertext, ICV. plaintext is the payloads, of which
// first is the type of the first; padding is added here. It is a function of key and message: sealed again, in this
// run or after a crash, the datagram has the same bytes. Other bytes under an id used before are ErrIVUsed.
func (k *Keyring) Seal(dst []byte, ref uint64, h ike.Header, first ike.PayloadType, plaintext []byte) ([]byte, error) {
	return k.SealPart(dst, ref, h, first, Part{}, plaintext)
}

// SealPart is Seal for one fragment of a message, in an SKF payload, or for a message that a takeover repeats the id
// of. Splitting a message again must make more fragments of it than before (W-27).
func (k *Keyring) SealPart(dst []byte, ref uint64, h ike.Header, first ike.PayloadType, part Part, plaintext []byte) ([]byte, error) {
	if part.Takeover > 0x7fff || part.Fragment > part.Total || (part.Fragment == 0) != (part.Total == 0) {
		panic(fmt.Sprintf("keys: sealing part %+v", part))
	}
	s := stamp{h.MessageID, h.Response(), part.Takeover, part.Total, part.Fragment}
	var room [36]byte // the headers of an SKF
	head := frame(room[:0], h, first, s, 0)
	protect, err := k.admit(ref, h, s, digestOf(head, plaintext))
	if err != nil {
		return nil, err
	}
	shape := protect.shape()
	padding := (shape.block - (len(plaintext)+1)%shape.block) % shape.block
	body := shape.iv + len(plaintext) + padding + 1 + protect.icv()
	start := len(dst)
	dst = frame(slices.Grow(dst, len(head)+body), h, first, s, body) // grown once: a response is kept as long as its SA
	at := len(dst) - start
	iv := ivOf(s)
	dst = append(append(dst, iv[:]...), zeros[:shape.iv-len(iv)]...)
	dst = append(append(append(dst, plaintext...), zeros[:padding]...), byte(padding))
	dst = append(dst, zeros[:protect.icv()]...)
	protect.seal(dst[start:], at)
	return dst, nil
}

// zeros fill what is still to be computed: the rest of a CBC IV, padding, the largest ICV.
var zeros [32]byte

// frame appends the headers, which are the associated data.
func frame(dst []byte, h ike.Header, first ike.PayloadType, s stamp, bodyLen int) []byte {
	if s.total == 0 {
		return ike.AppendSKFrame(dst, h, first, bodyLen)
	}
	return ike.AppendSKFFrame(dst, h, first, uint16(s.number), uint16(s.total), bodyLen)
}

// admit gives the protector of what we send on an SA, once it is sure that the message may be sealed.
func (k *Keyring) admit(ref uint64, h ike.Header, m stamp, digest uint32) (protector, error) {
	s := k.of(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, l, err := s.entry(ref)
	if err != nil {
		return nil, err
	}
	if e.initiator != h.Initiator() {
		panic(fmt.Sprintf("keys: sealing a message with I flag %t on an SA of which we are initiator: %t", h.Initiator(), e.initiator))
	}
	if !s.admit(ref, e, m, digest) {
		return nil, fmt.Errorf("%w: id %d, response %t", ErrIVUsed, m.id, m.response)
	}
	return s.protector(ref, e.initiator, l), nil
}

func (s *shard) admit(ref uint64, e *entry, m stamp, digest uint32) bool {
	stream := streamKey{ref, m.response, m.takeover > 0}
	split := splits{s.split, splitKey{streamKey: stream}}
	if stream.taken {
		t := s.taken[stream]
		if t == nil {
			t = &takeover{}
			s.taken[stream] = t
		}
		return t.admit(m, digest, split)
	}
	if m.response {
		return e.sent[1].admit(m, digest, split)
	}
	return e.sent[0].admit(m, digest, split)
}

// Open checks a protected message, header and all, and gives its payloads without the padding. The I flag says whose
// keys it is under. Errors: ike.Malformed for its form, ErrShort, ErrICV, ErrMalformed; and where it is for us to
// know, ErrUnknown, ErrNotAgreed. Of a fragment it opens the fragment, first being what its SKF header says.
func (k *Keyring) Open(ref uint64, msg []byte) (first ike.PayloadType, plaintext []byte, err error) {
	h, frame, err := parse(msg)
	if err != nil {
		return 0, nil, err
	}
	protect, err := k.receiving(ref, h)
	if err != nil {
		return 0, nil, err
	}
	plaintext, err = open(protect, msg, len(frame.AAD))
	return frame.First, plaintext, err
}

func parse(msg []byte) (ike.Header, ike.SKFrame, error) {
	h, err := ike.ParseHeader(msg)
	if err != nil {
		return h, ike.SKFrame{}, err
	}
	if err := h.CheckLength(len(msg)); err != nil {
		return h, ike.SKFrame{}, err
	}
	frame, err := ike.ParseSK(msg, h)
	return h, frame, err
}

// receiving gives the protector of what the sender of that header sends.
func (k *Keyring) receiving(ref uint64, h ike.Header) (protector, error) {
	s := k.of(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, l, err := s.entry(ref)
	if err != nil {
		return nil, err
	}
	return s.protector(ref, h.Initiator(), l), nil
}

// open checks lengths, ICV and padding, in that order: padding is believed only under a good ICV (N-41).
func open(protect opener, msg []byte, at int) ([]byte, error) {
	shape := protect.shape()
	inner := len(msg) - at - shape.iv - protect.icv()
	if inner < 1 || inner%shape.block != 0 {
		return nil, ErrShort
	}
	plain, err := protect.open(msg, at)
	if err != nil {
		return nil, err
	}
	padding := int(plain[len(plain)-1])
	if padding > len(plain)-1 {
		return nil, ErrMalformed
	}
	return plain[:len(plain)-1-padding], nil
}
