package reducer

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
)

// EffectKind is which order an Effect is. The numbers are those of record.Effect's fields.
type EffectKind uint8

const (
	EffectRecord       EffectKind = 10 // a new message: seal, write, send
	EffectResend       EffectKind = 11 // the datagrams of Because again
	EffectRefuse       EffectKind = 12 // an unprotected answer outside any SA
	EffectSetTimer     EffectKind = 13
	EffectCancelTimer  EffectKind = 14
	EffectMakeKeyShare EffectKind = 15
	EffectAgree        EffectKind = 16
	EffectMakeAuth     EffectKind = 17
	EffectCheckAuth    EffectKind = 18
	EffectAllocateSPI  EffectKind = 19
	EffectInstallChild EffectKind = 20
	EffectRemoveChild  EffectKind = 21
	EffectDestroyKeys  EffectKind = 22
	EffectAnswer       EffectKind = 23
	EffectWanted       EffectKind = 24 // a note: a wish joined the window's queue
	EffectChanged      EffectKind = 25 // a note: a phase changed
	EffectDiscarded    EffectKind = 26 // a note: an IKE SA is gone, with its evidence
	EffectReport       EffectKind = 27 // the shutdown is over
	EffectDropped      EffectKind = 28 // a note: why the event changed nothing
	EffectLocate       EffectKind = 29 // find the addresses of a connection, then InitiateAsked
)

// Visible reports whether the world can notice the effect, so that it waits until its record is durable. Work of the
// keyring, timers and notes cannot be noticed. Allocating an SPI can be, but promises nothing to anyone.
func (k EffectKind) Visible() bool {
	switch k {
	case EffectRecord, EffectResend, EffectRefuse, EffectInstallChild, EffectRemoveChild, EffectAnswer, EffectReport,
		EffectDestroyKeys:
		return true
	}
	return false
}

// Effect is one order of the reducer, flat so that a step allocates none: which fields count follows from Kind (see
// record.proto, whose fields they are). Slices belong to the State or the Event; nobody writes them.
type Effect struct {
	Kind    EffectKind
	SA      uint64
	Child   uint64
	Because Because
	Decided Because // Wanted: what wanted it, beside what it waits behind

	// Record, Resend, Refuse
	MessageID     uint32
	Response      bool
	Unprotected   bool
	FromInitiator bool // the I flag: we are the original initiator
	Exchange      ike.ExchangeType
	First         ike.PayloadType
	Payloads      []byte
	Path          Path
	SPIi, SPIr    uint64
	Sends         uint32
	Notify        ike.NotifyType
	Data          []byte

	// timers
	Timer    TimerKind
	Deadline int64

	KeyRef    uint64
	Initiator bool
	Group     ike.Group
	Protocol  ike.ProtocolID
	Ticket    uint64
	Text      string // Answer: the error; Dropped: the cause; Locate: the connection
	Name      string // Locate: the child
	Wish      Wish   // Wanted

	// what few effects carry
	Keys    *KeyWork
	Install *Installation
	Change  *Change
	End     *End
	Report  *Report
}

// KeyWork is what Agree, MakeAuth and CheckAuth need. The two IKE_SA_INIT messages and nonces are in the State anyway;
// the journal gets only digests of them.
type KeyWork struct {
	Suite             Suite
	Request, Response []byte // IKE_SA_INIT, whole
	Ni, Nr            []byte
	PeerPublic        []byte
	LocalID, RemoteID Identity
	OldRef            uint64 // keys of the IKE SA that is rekeyed
	Method            ike.AuthMethod
	Auth              []byte
}

// Installation is what InstallChild and RemoveChild need.
type Installation struct {
	Name                    string
	Ni, Nr                  []byte
	Suite                   Suite
	InboundSPI, OutboundSPI uint32 // InboundSPI 0: allocate it
	Encapsulated            bool
	TransportMode           bool
	LocalTS, RemoteTS       []ike.Selector
	ShareRef                uint64 // of a key exchange of its own, and the peer's half of it
	PeerPublic              []byte
}

// Change is what Changed tells.
type Change struct {
	From, To                Phase
	ChildFrom, ChildTo      ChildPhase
	Cause                   Cause
	Detail                  string
	Connection              string
	RemoteID                Identity
	InboundSPI, OutboundSPI uint32
	Predecessor             uint64 // the IKE SA that this one rekeys; of a Child SA, the one it moved from
}

// End is the evidence with which an IKE SA is discarded (PROTOCOL.md, D-29).
type End struct {
	From       Phase
	Cause      Cause
	Detail     string
	Children   []uint64
	Dropped    []Wish
	Unfinished []Request
	LastHeard  int64
}

// Because names what an effect or a part of the State came of. The zero value says nothing.
type Because struct {
	Edge  Edge
	Step  uint64
	Index uint32
	Root  Root
}

// Edge and Root are those of record.proto.
type (
	Edge uint8
	Root uint8
)

const (
	EdgeRoot Edge = iota
	EdgeAnswers
	EdgeFires
	EdgeReplies
	EdgeServes
	EdgeBehind
	EdgeDecided
)

const (
	RootUnspecified Root = iota
	RootOperator
	RootConfiguration
	RootPeer
	RootKernel
	RootStart
)

// Ref names an effect: the step and its place there.
type Ref struct {
	Step  uint64
	Index uint32
}

// Path is a pair of addresses with ports: ours, and the peer's.
type Path struct {
	Local, Remote netip.AddrPort
}
