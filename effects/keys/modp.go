package keys

import (
	"encoding/hex"
	"fmt"
	"io"

	"filippo.io/bigmod"
)

// MODP groups 14, 15 and 16 (RFC 3526), generator 2. The primes are safe, p = 2q + 1, so of RFC 6989 section 2.1 the
// check 1 < public < p-1 is the one that applies: nothing else in the group has a small order.

// modp is one such group. exponent is the length of a private value in octets. Twice the group's strength in bits is
// enough: 220, 260 and 300 by the first estimate of RFC 3526 section 8, 224, 256 and 304 by SP 800-56A. Ours have 256,
// 288 and 320; every further bit would cost whoever is flooded most.
type modp struct {
	p        *bigmod.Modulus
	exponent int
}

func newMODP(prime string, exponent int) modp {
	octets, err := hex.DecodeString(prime)
	if err != nil {
		panic(err)
	}
	p, err := bigmod.NewModulus(octets)
	if err != nil {
		panic(err)
	}
	return modp{p, exponent}
}

func (m modp) draw(random io.Reader) (private, error) {
	x := make([]byte, m.exponent)
	defer clear(x)
	if _, err := io.ReadFull(random, x); err != nil {
		return nil, fmt.Errorf("randomness for MODP: %w", err)
	}
	x[0] |= 0x80 // never shorter than it should be, and never zero
	return m.restore(x)
}

func (m modp) restore(bytes []byte) (private, error) {
	if len(bytes) != m.exponent {
		return nil, fmt.Errorf("MODP private value of %d octets, want %d", len(bytes), m.exponent)
	}
	return exponent{m, append([]byte(nil), bytes...)}, nil
}

// residue is the peer's public, if it is strictly between 1 and p-1.
func (m modp) residue(peer []byte) (*bigmod.Nat, error) {
	if len(peer) != m.p.Size() {
		return nil, fmt.Errorf("%w: MODP-%d public of %d octets", ErrBadPublic, m.p.BitLen(), len(peer))
	}
	y, err := bigmod.NewNat().SetBytes(peer, m.p)
	if err != nil || y.IsZero()|y.IsOne()|y.IsMinusOne(m.p) != 0 {
		return nil, fmt.Errorf("%w: MODP-%d public is not between 1 and p-1", ErrBadPublic, m.p.BitLen())
	}
	return y, nil
}

func (m modp) check(peer []byte) error {
	_, err := m.residue(peer)
	return err
}

type exponent struct {
	modp
	x []byte
}

// public is 2^x mod p, as long as p with zeros before it (section 3.4 of RFC 7296).
func (e exponent) public() []byte {
	two := bigmod.NewNat().SetUint(2).ExpandFor(e.p)
	return bigmod.NewNat().Exp(two, e.x, e.p).Bytes(e.p)
}

func (e exponent) bytes() []byte { return append([]byte(nil), e.x...) }
func (e exponent) wipe()         { clear(e.x) }

func (e exponent) agree(peer []byte) ([]byte, error) {
	y, err := e.residue(peer)
	if err != nil {
		return nil, err
	}
	return bigmod.NewNat().Exp(y, e.x, e.p).Bytes(e.p), nil
}

// The primes of RFC 3526, sections 3, 4 and 5.

const modp2048 = "" +
	"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aacaa68ffffffffffffffff"

const modp3072 = "" +
	"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7" +
	"abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c" +
	"bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff"

const modp4096 = "" +
	"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7" +
	"abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c" +
	"bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7" +
	"88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6" +
	"287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9" +
	"93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff"
