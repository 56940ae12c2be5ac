package conf

// Unique says what happens to older IKE SAs of the same two identities when a new one is established.
type Unique int

// The values of `unique`.
const (
	UniqueNo      Unique = iota // keep the old ones, unless the peer sends INITIAL_CONTACT
	UniqueNever                 // keep the old ones, ignore INITIAL_CONTACT
	UniqueKeep                  // refuse the new one
	UniqueReplace               // close the old ones
)

// SendCert says when our certificates are sent.
type SendCert int

// The values of `send_cert`.
const (
	SendCertIfAsked SendCert = iota
	SendCertAlways
	SendCertNever
)

// Childless says whether an IKE SA may be set up without a Child SA (RFC 6023).
type Childless int

// The values of `childless`.
const (
	ChildlessAllow  Childless = iota // as responder; as initiator the first child goes with IKE_AUTH
	ChildlessPrefer                  // as initiator without a child where the peer can
	ChildlessForce                   // only without
	ChildlessNever                   // only with
)

// Fragmentation says whether IKE messages are fragmented (RFC 7383).
type Fragmentation int

// The values of `fragmentation`.
const (
	FragmentationYes    Fragmentation = iota // when the peer supports it and a message is too long
	FragmentationAccept                      // announce and receive, never send
	FragmentationForce                       // every protected message
	FragmentationNo
)

// Mode is the encapsulation of a Child SA.
type Mode int

// The values of `mode`.
const (
	Tunnel Mode = iota
	Transport
)

// StartAction is what happens to a child when the configuration is loaded.
type StartAction int

// The values of `start_action`.
const (
	StartNone StartAction = iota
	StartInitiate
)

// Action is what happens after a child was lost (dpd_action) or closed by the peer (close_action).
type Action int

// The values of `dpd_action` and `close_action`.
const (
	ActionNone  Action = iota // nothing more
	ActionStart               // initiate it again
)
