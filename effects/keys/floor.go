package keys

import (
	"bytes"
	"crypto/rand"

	"github.com/ikejd/ikejd/proto/ike"
)

// HandshakeFloor does n times what the cryptography alone of a handshake asks of a responder, PSK, X25519,
// AES-GCM-256 and SHA-256: make a share, agree, derive the keys, open the IKE_AUTH request, check its AUTH value and
// make ours, derive KEYMAT, seal the response. No reference, lock or vault comes near it: a benchmark of the daemon
// divides its own time by this of the same run.
func HandshakeFloor(n int) error {
	suite := Suite{
		Encr: ike.EncrAESGCM16, KeyLength: 256, PRF: ike.PRFHMACSHA2_256, Group: uint16(ike.GroupCurve25519),
	}
	group := groups[ike.GroupCurve25519]
	peer, err := group.draw(rand.Reader)
	if err != nil {
		return err
	}
	a := Agreement{
		Suite: suite, SPIi: 1, SPIr: 2, PeerPublic: peer.public(),
		Ni: bytes.Repeat([]byte{1}, 32), Nr: bytes.Repeat([]byte{2}, 32),
	}
	for range n {
		if err := floorOnce(group, a); err != nil {
			return err
		}
	}
	return nil
}

func floorOnce(group group, a Agreement) error {
	ours, err := group.draw(rand.Reader)
	if err != nil {
		return err
	}
	gir, err := ours.agree(a.PeerPublic)
	if err != nil {
		return err
	}
	l := layout{a.Suite, deriveKeys(a, skeyseed(a.Suite.PRF, a.Ni, a.Nr, gir))}

	// An IKE_AUTH message of a usual size, and an IKE_SA_INIT message to sign.
	const message, inner = 240, 180
	h := ike.Header{SPIi: a.SPIi, SPIr: a.SPIr, Exchange: ike.IKE_AUTH, MessageID: 1}
	in := AuthInput{RealMessage: make([]byte, message), PeerNonce: a.Nr, IDBody: make([]byte, 16), PSK: make([]byte, 20)}
	request := ike.AppendSKFrame(nil, h, ike.PayloadIDi, 8+inner+16)
	at := len(request)
	request = append(request, make([]byte, 8+inner+16)...)
	fromPeer := newProtector(a.Suite, l.encr(true), nil)
	fromPeer.seal(request, at) // the peer's work, a five-hundredth of the whole
	if _, err := fromPeer.open(request, at); err != nil {
		return err
	}
	theirs := authValue(a.Suite.PRF, l.proof(true), in)
	authValue(a.Suite.PRF, l.proof(false), in)
	keymat(a.Suite.PRF, l.d(), nil, a.Ni, a.Nr, 2*encrKeyOctets(a.Suite.Encr, a.Suite.KeyLength))
	copy(request[at+8:], theirs)
	newProtector(a.Suite, l.encr(false), nil).seal(request, at)
	return nil
}
