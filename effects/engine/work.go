package engine

import (
	"errors"
	"fmt"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// keyWork is the keyring's part of setting up an IKE SA. It is expensive, so it is done outside the loop.
type keyWork struct{ e *Loop }

// ask does an internal effect of the reducer.
func (w keyWork) ask(o order) {
	w.e.outside.Keys(o.effect.Kind, func() { w.e.queue.push(completion(o, w.do(&o.effect))) })
}

func (w keyWork) do(e *reducer.Effect) *record.Event {
	switch e.Kind {
	case reducer.EffectMakeKeyShare:
		made := &record.KeyShareMade{}
		fresh, err := w.fresh(e.Group)
		if made.Fresh = fresh; err != nil {
			made.Failure = text(err.Error())
		}
		return &record.Event{Kind: &record.Event_KeyShareMade{KeyShareMade: made}}
	case reducer.EffectAgree:
		agreed := &record.Agreed{}
		if e.Keys.Request == nil { // of CREATE_CHILD_SA: the vault cannot find it by the IKE SA
			agreed.KeyRef = e.KeyRef
		}
		if err := w.exchange(e); err != nil {
			agreed.Failure = text(err.Error())
		}
		return &record.Event{Kind: &record.Event_Agreed{Agreed: agreed}}
	case reducer.EffectMakeAuth:
		made := &record.AuthMade{Method: uint32(ike.AuthSharedKey)}
		auth, err := w.auth(e)
		if made.Auth = auth; err != nil {
			made.Failure = text(err.Error())
		}
		return &record.Event{Kind: &record.Event_AuthMade{AuthMade: made}}
	case reducer.EffectCheckAuth:
		return &record.Event{Kind: &record.Event_Authenticated{Authenticated: w.check(e)}}
	}
	panic(fmt.Sprintf("effect %d is no work of the keyring", e.Kind))
}

// fresh draws what one side of an IKE_SA_INIT exchange must draw. An SPI that we have already is drawn again.
func (w keyWork) fresh(group ike.Group) (*record.Fresh, error) {
	for {
		init, err := w.e.c.Keyring.MakeInit(uint16(group))
		if err != nil {
			return nil, err
		}
		if w.e.core.index.bySPI(init.SPI) != 0 {
			w.e.c.Keyring.Destroy(init.Ref)
			continue
		}
		return &record.Fresh{KeyRef: init.Ref, Spi: init.SPI, Nonce: init.Nonce, Group: uint32(group), Public: init.Public}, nil
	}
}

func (w keyWork) exchange(e *reducer.Effect) error {
	if e.Child != 0 {
		return w.e.c.Keyring.Exchange(e.KeyRef, e.Keys.Ni, e.Keys.Nr, e.Keys.PeerPublic)
	}
	return w.agree(e.KeyRef, e.Initiator, e.SPIi, e.SPIr, e.Keys)
}

func (w keyWork) agree(ref uint64, initiator bool, spii, spir uint64, k *reducer.KeyWork) error {
	return w.e.c.Keyring.Agree(ref, keys.Agreement{Suite: keySuite(k.Suite), Initiator: initiator, SPIi: spii, SPIr: spir,
		Ni: k.Ni, Nr: k.Nr, PeerPublic: k.PeerPublic, OldRef: k.OldRef})
}

func keySuite(s reducer.Suite) keys.Suite {
	return keys.Suite{Encr: s.Encr, KeyLength: s.KeyLength, PRF: s.PRF, Integ: s.Integ, Group: uint16(s.Group)}
}

var errNoSecret = errors.New("no shared key")

// auth is our own AUTH: over our IKE_SA_INIT message and the peer's nonce (section 2.15).
func (w keyWork) auth(e *reducer.Effect) ([]byte, error) {
	secret, err := w.secret(e.Keys)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return w.e.c.Keyring.Auth(e.KeyRef, authInput(e.Keys, e.Initiator, e.Keys.LocalID, secret))
}

// check is the verdict on the peer's AUTH and, as responder, our own. Where there is no key for the peer the same work is
// done with another, so that the time tells nothing (PROTOCOL.md, X-40).
func (w keyWork) check(e *reducer.Effect) *record.Authenticated {
	secret, missing := w.secret(e.Keys)
	if missing != nil {
		secret = creds.Secret("nobody has this key")
	}
	defer clear(secret)
	k := e.Keys
	good := w.e.c.Keyring.CheckAuth(e.KeyRef, authInput(k, !e.Initiator, k.RemoteID, secret), k.Auth)
	verdict := &record.Authenticated{Method: uint32(ike.AuthSharedKey)} // a Reason is text: what a peer chose of it is quoted
	switch {
	case missing != nil:
		verdict.Reason = missing.Error()
	case k.Method != ike.AuthSharedKey:
		verdict.Reason = "the peer authenticates by " + k.Method.String() + ", not by a shared key"
	case !good:
		verdict.Reason = "the peer's AUTH does not fit the shared key for " + credID(k.RemoteID).String()
	default:
		verdict.Good = true
	}
	if !e.Initiator {
		auth, err := w.e.c.Keyring.Auth(e.KeyRef, authInput(k, false, k.LocalID, secret))
		if verdict.Auth = auth; err != nil {
			verdict.Good, verdict.Reason = false, err.Error()
		}
	}
	return verdict
}

// authInput is what one end signs: the SA's initiator its request and Nr, the responder its response and Ni.
func authInput(k *reducer.KeyWork, forInitiator bool, id reducer.Identity, secret creds.Secret) keys.AuthInput {
	in := keys.AuthInput{ForInitiator: forInitiator, RealMessage: k.Response, PeerNonce: k.Ni, IDBody: id.Body(), PSK: secret}
	if forInitiator {
		in.RealMessage, in.PeerNonce = k.Request, k.Nr
	}
	return in
}

func (w keyWork) secret(k *reducer.KeyWork) (creds.Secret, error) {
	secret, ok := w.e.c.Secrets.PSK(credID(k.LocalID), credID(k.RemoteID))
	if !ok {
		return nil, fmt.Errorf("%w for %v", errNoSecret, credID(k.RemoteID))
	}
	return secret, nil
}

func credID(id reducer.Identity) creds.ID {
	return creds.ID{Type: uint8(id.Type), Data: []byte(id.Data)}
}
