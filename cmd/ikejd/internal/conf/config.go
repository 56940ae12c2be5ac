package conf

import (
	"net/netip"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
)

// Config is a whole configuration with every default filled in.
type Config struct {
	Connections []Connection // in the order of the file
	Secrets     []Secret
	Settings    Settings
}

// Connection is one entry of `connections { }`: how IKE SAs with some peer are made. Durations of 0 mean never.
type Connection struct {
	Name string
	Pos  Pos

	LocalAddrs  []Host // empty: any address of ours
	RemoteAddrs []Host // empty: any peer; such a connection can only be answered, not initiated
	LocalPort   uint16 // 500 unless set
	RemotePort  uint16
	Proposals   []Proposal // in order of preference, never empty

	DPDDelay   time.Duration // liveness check after this much silence; 0: none
	RekeyTime  time.Duration
	ReauthTime time.Duration
	OverTime   time.Duration // hard limit after the rekey or reauth time
	RandTime   time.Duration // up to this much is taken off RekeyTime and ReauthTime, at random

	Unique        Unique
	Mobike        bool
	Encap         bool // force ESP in UDP
	KeyingTries   int  // 0: for ever
	SendCert      SendCert
	Childless     Childless
	Fragmentation Fragmentation

	Local    Auth
	Remote   Auth
	Children []Child
}

// Host is one entry of local_addrs or remote_addrs: exactly one field group is set.
type Host struct {
	Addr   netip.Addr   // one address
	Prefix netip.Prefix // a subnet
	Low    netip.Addr   // a range, both ends included
	High   netip.Addr
	Name   string // a host name, to be resolved
}

// Auth is a `local { }` or `remote { }` section.
type Auth struct {
	Pos    Pos
	Method AuthMethod
	ID     string   // as written; "" where nothing or %any is
	Wire   creds.ID // the same for the ID payload; type 0 stands for our address on local, for any on remote
}

// AuthMethod is how one end proves its identity.
type AuthMethod int

// PSK is the one method built so far.
const PSK AuthMethod = 1

// Child is one entry of `children { }`.
type Child struct {
	Name string
	Pos  Pos

	Proposals []Proposal // of ESP; Groups are for rekeying and CREATE_CHILD_SA
	Mode      Mode
	LocalTS   []Selector
	RemoteTS  []Selector

	RekeyTime    time.Duration
	LifeTime     time.Duration
	RandTime     time.Duration
	RekeyBytes   uint64
	LifeBytes    uint64
	RandBytes    uint64
	RekeyPackets uint64
	LifePackets  uint64
	RandPackets  uint64

	StartAction StartAction
	DPDAction   Action
	CloseAction Action

	ReplayWindow uint32        // in packets
	Inactivity   time.Duration // 0: never closed for being idle
}

// Selector is one traffic selector of local_ts or remote_ts. Dynamic stands for the address of that end (or the virtual
// one it was given) and leaves Low and High unset.
type Selector struct {
	Dynamic   bool
	Low, High netip.Addr // both ends included, one family
	Protocol  uint8      // 0: any
	PortLow   uint16     // 0..65535: any; PortLow > PortHigh (65535, 0): OPAQUE
	PortHigh  uint16
}

// Secret is one entry of `secrets { }` for IKE: a pre-shared key and the identities it belongs to.
type Secret struct {
	Name   string // the section's name, such as "ike-gw"
	Pos    Pos
	IDs    []string   // as written; empty: for any two identities
	Owners []creds.ID // the same for comparison with ID payloads
	Key    creds.Secret
}
