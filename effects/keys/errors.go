package keys

import "errors"

// What a peer did wrong is told apart by these, with errors.Is. None of them names a secret.
var (
	// ErrBadPublic: the peer's key exchange data fails its check (RFC 6989; PROTOCOL.md, X-55).
	ErrBadPublic = errors.New("key exchange public is not acceptable")
	// ErrICV: the integrity check failed, so nothing of the message may be believed.
	ErrICV = errors.New("integrity check failed")
	// ErrShort: too short or not a whole number of blocks, found before the integrity check (N-41).
	ErrShort = errors.New("encrypted payload is too short or not whole blocks")
	// ErrMalformed: padding that reaches over its payload, under a good ICV: the peer itself sent it (N-41, X-32).
	ErrMalformed = errors.New("padding is longer than the payload")
)

// What we asked for wrongly, or cannot do.
var (
	// ErrUnknown: no secret under this KeyRef; it was destroyed, or a crash took it before it was in the vault.
	ErrUnknown = errors.New("no key under this reference")
	// ErrNotAgreed: half a key exchange, no keys yet.
	ErrNotAgreed = errors.New("key exchange is not complete")
	// ErrAgreed: the reference has keys already, from another agreement. They stand (W-32, K-13).
	ErrAgreed = errors.New("keys were agreed otherwise before")
	// ErrIVUsed: other bytes were sealed under this key and IV, or that id is too old to know.
	ErrIVUsed = errors.New("message id was sealed with other content")
	// ErrUnsupported: an algorithm this binary does not have.
	ErrUnsupported = errors.New("algorithm is not compiled in")
	// ErrVault: a vault entry or epoch file that does not open under the keys there are.
	ErrVault = errors.New("vault entry does not open")
)
