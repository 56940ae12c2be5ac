package keys

import (
	"crypto/ecdh"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// Key exchange (RFC 7296, section 3.4): a group makes private values, and a private value with the peer's public
// makes g^ir.

// private is one side's half of a key exchange.
type private interface {
	// public is what goes into our KE payload.
	public() []byte
	// agree is g^ir, in the length that the group fixes, or ErrBadPublic.
	agree(peer []byte) ([]byte, error)
	// bytes is what restore takes. It is a secret; the caller wipes it.
	bytes() []byte
	// wipe zeroes the private value where it lies in memory of ours. Nothing else may be called after it.
	wipe()
}

// group makes private values. draw reads exactly what it needs from random, so that a simulation repeats.
type group interface {
	draw(random io.Reader) (private, error)
	restore(bytes []byte) (private, error)
	// check is ErrBadPublic for what agree would refuse; it costs no key exchange.
	check(peer []byte) error
}

// CheckPublic refuses a peer's key exchange data that no agreement is possible with (RFC 6989, section 2; RFC 7748,
// section 6.1; PROTOCOL.md, X-55), so that a responder need not answer it. Of a group that is not compiled in it says
// ErrUnsupported.
func CheckPublic(group uint16, peer []byte) error {
	g, ok := groups[ike.Group(group)]
	if !ok {
		return fmt.Errorf("%w: KE %d", ErrUnsupported, group)
	}
	return g.check(peer)
}

var groups = map[ike.Group]group{
	ike.GroupMODP2048:   newMODP(modp2048, 32),
	ike.GroupMODP3072:   newMODP(modp3072, 36),
	ike.GroupMODP4096:   newMODP(modp4096, 40),
	ike.GroupECP256:     ecp{ecdh.P256(), 32, 0xff},
	ike.GroupECP384:     ecp{ecdh.P384(), 48, 0xff},
	ike.GroupECP521:     ecp{ecdh.P521(), 66, 0x01},
	ike.GroupCurve25519: x25519{},
}

// x25519 is RFC 8031. The high bit and values from p up are taken as RFC 7748 section 5 says they must be; only a
// public whose secret comes out as zero is refused (RFC 8031, section 3.2).
type x25519 struct{}

func (x25519) draw(random io.Reader) (private, error) {
	var seed [32]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("randomness for X25519: %w", err)
	}
	return x25519{}.restore(seed[:])
}

func (x25519) restore(bytes []byte) (private, error) {
	key, err := ecdh.X25519().NewPrivateKey(bytes)
	if err != nil {
		return nil, err
	}
	return montgomery{key}, nil
}

// lowOrder are the u coordinates of low order, and those of them that are written p higher: p is 2^255-19. With any of
// them the secret is all zeros (RFC 7748, section 6.1), whatever the top bit, which does not count (section 5).
var lowOrder = func() map[[32]byte]bool {
	all := map[[32]byte]bool{}
	for _, u := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		octets, err := hex.DecodeString(u)
		if err != nil {
			panic(err)
		}
		all[[32]byte(octets)] = true
	}
	return all
}()

func (x25519) check(peer []byte) error {
	if len(peer) != 32 {
		return fmt.Errorf("%w: X25519 public of %d octets", ErrBadPublic, len(peer))
	}
	u := [32]byte(peer)
	if u[31] &= 0x7f; lowOrder[u] {
		return fmt.Errorf("%w: X25519 public of low order", ErrBadPublic)
	}
	return nil
}

type montgomery struct{ key *ecdh.PrivateKey }

// public is cloned because Bytes hands out the front of an array of 133 octets, which every half-open SA would keep.
func (m montgomery) public() []byte { return slices.Clone(m.key.PublicKey().Bytes()) }
func (m montgomery) bytes() []byte  { return m.key.Bytes() }
func (m montgomery) wipe()          {} // crypto/ecdh keeps its copy to itself

func (m montgomery) agree(peer []byte) ([]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: X25519 public of %d octets", ErrBadPublic, len(peer))
	}
	secret, err := m.key.ECDH(point)
	if err != nil {
		return nil, fmt.Errorf("%w: X25519 public of low order", ErrBadPublic)
	}
	return secret, nil
}

// ecp is RFC 5903: the KE data is x | y without a form octet, each as long as the field, and the secret is the x
// coordinate alone (section 9 there). size is the length of a coordinate; mask cuts the first octet of a drawn
// scalar to the order's.
type ecp struct {
	curve ecdh.Curve
	size  int
	mask  byte
}

// draw tries until the scalar is below the order: for P-256 and P-384 all but always the first time, for P-521 with
// its 521 bits too.
func (e ecp) draw(random io.Reader) (private, error) {
	scalar := make([]byte, e.size)
	defer clear(scalar)
	for range 64 {
		if _, err := io.ReadFull(random, scalar); err != nil {
			return nil, fmt.Errorf("randomness for %v: %w", e.curve, err)
		}
		scalar[0] &= e.mask
		if drawn, err := e.restore(scalar); err == nil {
			return drawn, nil
		}
	}
	return nil, fmt.Errorf("randomness for %v gave no scalar below the order in 64 draws; is its source broken?", e.curve)
}

func (e ecp) restore(bytes []byte) (private, error) {
	key, err := e.curve.NewPrivateKey(bytes)
	if err != nil {
		return nil, err
	}
	return weierstrass{e, key}, nil
}

// point is the peer's, if it is one of the curve.
func (e ecp) point(peer []byte) (*ecdh.PublicKey, error) {
	if len(peer) != 2*e.size {
		return nil, fmt.Errorf("%w: %v public of %d octets", ErrBadPublic, e.curve, len(peer))
	}
	point, err := e.curve.NewPublicKey(append([]byte{4}, peer...)) // 4: the uncompressed form of SEC 1
	if err != nil {
		return nil, fmt.Errorf("%w: not a point of %v", ErrBadPublic, e.curve)
	}
	return point, nil
}

func (e ecp) check(peer []byte) error {
	_, err := e.point(peer)
	return err
}

type weierstrass struct {
	ecp
	key *ecdh.PrivateKey
}

func (w weierstrass) public() []byte { return w.key.PublicKey().Bytes()[1:] }
func (w weierstrass) bytes() []byte  { return w.key.Bytes() }
func (w weierstrass) wipe()          {} // as in montgomery

// agree refuses what RFC 6989 section 2.3 does: a wrong length, a coordinate not below p, a point not on the curve;
// (0, 0) is not on any of these. The cofactor is 1, so nothing on the curve has a small order.
func (w weierstrass) agree(peer []byte) ([]byte, error) {
	point, err := w.point(peer)
	if err != nil {
		return nil, err
	}
	secret, err := w.key.ECDH(point)
	if err != nil {
		return nil, fmt.Errorf("%w: %v agreement at infinity", ErrBadPublic, w.curve)
	}
	return secret, nil
}
