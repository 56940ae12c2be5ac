package reducer

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of protobuf messages, as canonical encoding wants them: what is zero is not written.

// Digest is the first 8 octets of SHA-256: how repeats of a datagram are recognised.
func Digest(datagram []byte) uint64 {
	sum := sha256.Sum256(datagram)
	return binary.BigEndian.Uint64(sum[:])
}

func appendUint(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), v)
}

func appendFixed(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendFixed64(protowire.AppendTag(dst, field, protowire.Fixed64Type), v)
}

func appendBool(dst []byte, field protowire.Number, v bool) []byte {
	if !v {
		return dst
	}
	return appendUint(dst, field, 1)
}

func appendBytes(dst []byte, field protowire.Number, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	return protowire.AppendBytes(protowire.AppendTag(dst, field, protowire.BytesType), b)
}

func appendText(dst []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return dst
	}
	return protowire.AppendString(protowire.AppendTag(dst, field, protowire.BytesType), s)
}

func appendPacked[T ~uint8 | ~uint64](dst []byte, field protowire.Number, list []T) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst, at := beginMessage(dst)
	for _, v := range list {
		dst = protowire.AppendVarint(dst, uint64(v))
	}
	return endMessage(dst, at)
}

// beginMessage leaves one octet for the length of a message inside another; endMessage fills it in, and makes room where
// one octet is not enough.
func beginMessage(dst []byte) ([]byte, int) { return append(dst, 0), len(dst) + 1 }

func endMessage(dst []byte, at int) []byte {
	size := len(dst) - at
	if more := protowire.SizeVarint(uint64(size)) - 1; more > 0 {
		dst = append(dst, make([]byte, more)...)
		copy(dst[at+more:], dst[at:at+size])
	}
	protowire.AppendVarint(dst[:at-1], uint64(size))
	return dst
}

func appendBecause(dst []byte, field protowire.Number, b Because) []byte {
	if b == (Because{}) {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst, at := beginMessage(dst)
	dst = appendUint(dst, 1, uint64(b.Edge))
	dst = appendUint(dst, 2, b.Step)
	dst = appendUint(dst, 3, uint64(b.Index))
	dst = appendUint(dst, 4, uint64(b.Root))
	return endMessage(dst, at)
}

func appendPath(dst []byte, field protowire.Number, p Path) []byte {
	if !p.Local.IsValid() && !p.Remote.IsValid() {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst, at := beginMessage(dst)
	dst = appendAddr(dst, 1, p.Local.Addr())
	dst = appendUint(dst, 2, uint64(p.Local.Port()))
	dst = appendAddr(dst, 3, p.Remote.Addr())
	dst = appendUint(dst, 4, uint64(p.Remote.Port()))
	return endMessage(dst, at)
}

func appendAddr(dst []byte, field protowire.Number, a netip.Addr) []byte {
	switch {
	case a.Is4():
		b := a.As4()
		return appendBytes(dst, field, b[:])
	case a.Is6():
		b := a.As16()
		return appendBytes(dst, field, b[:])
	}
	return dst
}

func appendSuite(dst []byte, field protowire.Number, s Suite) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst, at := beginMessage(dst)
	dst = appendUint(dst, 1, uint64(s.Encr))
	dst = appendUint(dst, 2, uint64(s.KeyLength))
	dst = appendUint(dst, 3, uint64(s.PRF))
	dst = appendUint(dst, 4, uint64(s.Integ))
	dst = appendUint(dst, 5, uint64(s.Group))
	dst = appendUint(dst, 6, uint64(s.SequenceNumbers))
	return endMessage(dst, at)
}

func appendIdentity(dst []byte, field protowire.Number, id Identity) []byte {
	if id == (Identity{}) {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst, at := beginMessage(dst)
	dst = appendUint(dst, 1, uint64(id.Type))
	dst = appendText(dst, 2, id.Data)
	return endMessage(dst, at)
}

func appendSelectors(dst []byte, field protowire.Number, list []ike.Selector) []byte {
	for _, s := range list {
		dst = protowire.AppendTag(dst, field, protowire.BytesType)
		var at int
		dst, at = beginMessage(dst)
		dst = appendUint(dst, 1, uint64(s.Protocol))
		dst = appendUint(dst, 2, uint64(s.StartPort))
		dst = appendUint(dst, 3, uint64(s.EndPort))
		dst = appendAddr(dst, 4, s.Start)
		dst = appendAddr(dst, 5, s.End)
		dst = endMessage(dst, at)
	}
	return dst
}
