package reducer

import (
	"net/netip"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Config is the configuration in force, as plain values. The program reads files and checks them; what comes here with
// a ConfigLoaded event is meant.
type Config struct {
	Settings    Settings
	Connections []Connection // in the order of the file: the first that fits wins
}

// Settings are the numbers of PROTOCOL.md that an operator may change. Waits are in nanoseconds.
type Settings struct {
	RetransmitSends                                  uint32 // W-15
	RetransmitFirst, RetransmitLeast, RetransmitMost int64
	RetransmitGrowth, RetransmitJitter               uint32 // percent
	HalfOpen, HalfOpenLeast                          int64  // K-12
	HalfOpenMost                                     uint32
	LingerLeast, LingerMost                          int64 // D-20
	ShutdownLinger                                   int64
	DiscardAfter                                     int64 // D-19
	RefusalWait                                      int64
	ShutdownRate, ShutdownSends                      uint32
	SetUpRounds                                      uint32 // K-09
	NATPort                                          uint16
	RetryFirst, RetryMost                            int64 // ours: before a connection that is wanted up is tried again
}

// Defaults are the numbers of PROTOCOL.md.
var Defaults = Settings{
	RetransmitSends: 12, RetransmitFirst: 2 * second, RetransmitLeast: 700 * millisecond, RetransmitMost: 2 * second,
	RetransmitGrowth: 150, RetransmitJitter: 10, ShutdownSends: 18, SetUpRounds: 5,
	HalfOpen: 30 * second, HalfOpenLeast: 2 * second, HalfOpenMost: 20_000,
	LingerLeast: 30 * second, LingerMost: 180 * second, ShutdownLinger: 5 * second,
	DiscardAfter: 20 * minute, RefusalWait: 30 * second, ShutdownRate: 2000, NATPort: 4500,
	RetryFirst: 10 * second, RetryMost: 60 * second,
}

// Connection is an entry of the configuration: who may be at the other end, and what is agreed with them.
type Connection struct {
	Name                    string
	LocalAddrs, RemoteAddrs []string // addresses, prefixes or ranges; none: any
	LocalPort, RemotePort   uint16
	Proposals               []Proposal
	LocalID, RemoteID       Identity
	DPDDelay                int64
	Children                []ChildConfig
	Encap                   bool
	KeyingTries             uint32
	Unique                  uint8
	RekeyTime, OverTime     int64 // soft end, and from it to the hard one; 0: none
	RandTime                int64 // at most so much is taken off RekeyTime
}

// ChildConfig is one Child SA a connection may have. A selector without addresses is dynamic: the IKE SA's own.
type ChildConfig struct {
	Name                                string
	LocalTS, RemoteTS                   []ike.Selector
	Proposals                           []Proposal
	TransportMode                       bool
	StartAction, DPDAction, CloseAction uint8
	RekeyTime, LifeTime, RandTime       int64
}

// actionStart is record.StartAction's START.
const actionStart = 1

// Proposal is one offer: of each kind of transform the acceptable ones, best first.
type Proposal struct {
	Ciphers               []Cipher
	PRFs, Integs          []uint16
	Groups                []ike.Group
	SequenceNumberSchemes []uint16
}

// Cipher is an encryption algorithm with its key length in bits; 0 where it has one length.
type Cipher struct {
	ID, KeyLength uint16
}

// configLoaded puts a configuration in force. SAs stay as they are: a connection is looked up by name when it is needed.
func (t *step) configLoaded(ev *record.ConfigLoaded) {
	t.s.config = configFrom(ev.GetConfig())
	t.dropWaits()
}

// connection is the entry of that name; an empty one when the configuration has none (any more).
func (t *step) connection(name string) (Connection, bool) {
	for i := range t.s.config.Connections {
		if t.s.config.Connections[i].Name == name {
			return t.s.config.Connections[i], true
		}
	}
	return Connection{Name: name}, false
}

func (c Connection) child(name string) (ChildConfig, bool) {
	for _, child := range c.Children {
		if child.Name == name || name == "" {
			return child, true
		}
	}
	return ChildConfig{}, false
}

// serves reports whether the connection is meant for that path.
func (c Connection) serves(p Path) bool {
	return within(c.LocalAddrs, p.Local.Addr()) && within(c.RemoteAddrs, p.Remote.Addr())
}

// within reports whether addr is one of the addresses, prefixes or ranges of list; none is any.
func within(list []string, addr netip.Addr) bool {
	if len(list) == 0 {
		return true
	}
	addr = addr.Unmap().WithZone("")
	for _, entry := range list {
		switch first, last, isRange := strings.Cut(entry, "-"); {
		case entry == "%any", entry == "%any4" && addr.Is4(), entry == "%any6" && addr.Is6():
			return true
		case isRange:
			low, err1 := netip.ParseAddr(first)
			high, err2 := netip.ParseAddr(last)
			if err1 == nil && err2 == nil && low.BitLen() == addr.BitLen() && low.Compare(addr) <= 0 && addr.Compare(high) <= 0 {
				return true
			}
		case strings.Contains(entry, "/"):
			if prefix, err := netip.ParsePrefix(entry); err == nil && prefix.Contains(addr) {
				return true
			}
		default:
			if one, err := netip.ParseAddr(entry); err == nil && one.WithZone("") == addr {
				return true
			}
		}
	}
	return false
}
