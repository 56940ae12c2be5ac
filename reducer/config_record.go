package reducer

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The configuration as it stands in ConfigLoaded events and snapshots, and back.

func configFrom(c *record.Config) *Config {
	config := &Config{Settings: settingsFrom(c.GetSettings())}
	for _, r := range c.GetConnections() {
		connection := Connection{Name: r.GetName(), LocalAddrs: r.GetLocalAddrs(), RemoteAddrs: r.GetRemoteAddrs(),
			LocalPort: uint16(r.GetLocalPort()), RemotePort: uint16(r.GetRemotePort()),
			Proposals: proposalsFrom(r.GetProposals()), LocalID: identityFrom(r.GetLocalId()), RemoteID: identityFrom(r.GetRemoteId()),
			DPDDelay: int64(r.GetDpdDelay()), Encap: r.GetEncap(), KeyingTries: r.GetKeyingTries(), Unique: uint8(r.GetUnique()),
			RekeyTime: int64(r.GetRekeyTime()), OverTime: int64(r.GetOverTime()), RandTime: int64(r.GetRandTime())}
		for _, child := range r.GetChildren() {
			connection.Children = append(connection.Children, ChildConfig{Name: child.GetName(),
				LocalTS: selectorsFrom(child.GetLocalTs()), RemoteTS: selectorsFrom(child.GetRemoteTs()),
				Proposals: proposalsFrom(child.GetProposals()), TransportMode: child.GetTransportMode(),
				StartAction: uint8(child.GetStartAction()), DPDAction: uint8(child.GetDpdAction()), CloseAction: uint8(child.GetCloseAction()),
				RekeyTime: int64(child.GetRekeyTime()), LifeTime: int64(child.GetLifeTime()), RandTime: int64(child.GetRandTime())})
		}
		config.Connections = append(config.Connections, connection)
	}
	return config
}

func configTo(c *Config) *record.Config {
	config := &record.Config{Settings: settingsTo(c.Settings)}
	for _, connection := range c.Connections {
		r := &record.Connection{Name: connection.Name, LocalAddrs: connection.LocalAddrs, RemoteAddrs: connection.RemoteAddrs,
			LocalPort: uint32(connection.LocalPort), RemotePort: uint32(connection.RemotePort),
			Proposals: proposalsTo(connection.Proposals), LocalId: identityTo(connection.LocalID), RemoteId: identityTo(connection.RemoteID),
			DpdDelay: uint64(connection.DPDDelay), Encap: connection.Encap, KeyingTries: connection.KeyingTries, Unique: record.Unique(connection.Unique),
			RekeyTime: uint64(connection.RekeyTime), OverTime: uint64(connection.OverTime), RandTime: uint64(connection.RandTime)}
		for _, child := range connection.Children {
			r.Children = append(r.Children, &record.Child{Name: child.Name, LocalTs: selectorsTo(child.LocalTS),
				RemoteTs: selectorsTo(child.RemoteTS), Proposals: proposalsTo(child.Proposals), TransportMode: child.TransportMode,
				StartAction: record.StartAction(child.StartAction), DpdAction: record.StartAction(child.DPDAction), CloseAction: record.StartAction(child.CloseAction),
				RekeyTime: uint64(child.RekeyTime), LifeTime: uint64(child.LifeTime), RandTime: uint64(child.RandTime)})
		}
		config.Connections = append(config.Connections, r)
	}
	return config
}

// settingsFrom fills in the defaults for what is 0.
func settingsFrom(r *record.Settings) Settings {
	s := Defaults
	set := func(at *int64, v uint64) {
		if v != 0 {
			*at = int64(v)
		}
	}
	set(&s.RetransmitFirst, r.GetRetransmitFirst())
	set(&s.RetransmitLeast, r.GetRetransmitLeast())
	set(&s.RetransmitMost, r.GetRetransmitMost())
	set(&s.HalfOpen, r.GetHalfOpen())
	set(&s.LingerLeast, r.GetLingerLeast())
	set(&s.LingerMost, r.GetLingerMost())
	set(&s.ShutdownLinger, r.GetShutdownLinger())
	set(&s.DiscardAfter, r.GetDiscardAfter())
	set(&s.RefusalWait, r.GetRefusalWait())
	set(&s.RetryFirst, r.GetRetryFirst())
	set(&s.RetryMost, r.GetRetryMost())
	set(&s.HalfOpenLeast, r.GetHalfOpenLeast())
	count := func(at *uint32, v uint32) {
		if v != 0 {
			*at = v
		}
	}
	count(&s.RetransmitSends, r.GetRetransmitSends())
	count(&s.RetransmitGrowth, r.GetRetransmitGrowth())
	count(&s.HalfOpenMost, r.GetHalfOpenMost())
	count(&s.ShutdownRate, r.GetShutdownRate())
	count(&s.ShutdownSends, r.GetShutdownSends())
	count(&s.SetUpRounds, r.GetSetUpRounds())
	if n := r.GetRetransmitJitter(); n != 0 {
		s.RetransmitJitter = n - 1
	}
	if n := r.GetNatPort(); n != 0 {
		s.NATPort = uint16(n)
	}
	return s
}

func settingsTo(s Settings) *record.Settings {
	return &record.Settings{RetransmitSends: s.RetransmitSends, RetransmitFirst: uint64(s.RetransmitFirst),
		RetransmitLeast: uint64(s.RetransmitLeast), RetransmitMost: uint64(s.RetransmitMost), HalfOpen: uint64(s.HalfOpen),
		LingerLeast: uint64(s.LingerLeast), LingerMost: uint64(s.LingerMost), DiscardAfter: uint64(s.DiscardAfter),
		RefusalWait: uint64(s.RefusalWait), ShutdownRate: s.ShutdownRate, ShutdownLinger: uint64(s.ShutdownLinger),
		HalfOpenMost: s.HalfOpenMost, NatPort: uint32(s.NATPort), RetransmitGrowth: s.RetransmitGrowth, RetransmitJitter: s.RetransmitJitter + 1,
		HalfOpenLeast: uint64(s.HalfOpenLeast), ShutdownSends: s.ShutdownSends, SetUpRounds: s.SetUpRounds, RetryFirst: uint64(s.RetryFirst), RetryMost: uint64(s.RetryMost)}
}

func proposalsFrom(list []*record.Proposal) []Proposal {
	var proposals []Proposal
	for _, r := range list {
		p := Proposal{PRFs: numbers16[uint16](r.GetPrfs()), Integs: numbers16[uint16](r.GetIntegs()),
			Groups: numbers16[ike.Group](r.GetGroups()), SequenceNumberSchemes: numbers16[uint16](r.GetSequenceNumbers())}
		for _, cipher := range r.GetCiphers() {
			p.Ciphers = append(p.Ciphers, Cipher{uint16(cipher.GetId()), uint16(cipher.GetKeyLength())})
		}
		proposals = append(proposals, p)
	}
	return proposals
}

func proposalsTo(list []Proposal) []*record.Proposal {
	var proposals []*record.Proposal
	for _, p := range list {
		r := &record.Proposal{Prfs: numbers32(p.PRFs), Integs: numbers32(p.Integs), Groups: numbers32(p.Groups),
			SequenceNumbers: numbers32(p.SequenceNumberSchemes)}
		for _, cipher := range p.Ciphers {
			r.Ciphers = append(r.Ciphers, &record.Cipher{Id: uint32(cipher.ID), KeyLength: uint32(cipher.KeyLength)})
		}
		proposals = append(proposals, r)
	}
	return proposals
}

func numbers16[T ~uint16](list []uint32) []T {
	var narrow []T
	for _, n := range list {
		narrow = append(narrow, T(n))
	}
	return narrow
}

func numbers32[T ~uint16](list []T) []uint32 {
	var wide []uint32
	for _, n := range list {
		wide = append(wide, uint32(n))
	}
	return wide
}

func identityFrom(r *record.Identity) Identity {
	return Identity{ike.IDType(r.GetType()), string(r.GetData())}
}

func identityTo(id Identity) *record.Identity {
	if id == (Identity{}) {
		return nil
	}
	return &record.Identity{Type: uint32(id.Type), Data: []byte(id.Data)}
}

func selectorsFrom(list []*record.Selector) []ike.Selector {
	var selectors []ike.Selector
	for _, r := range list {
		s := ike.Selector{Protocol: uint8(r.GetProtocol()), StartPort: uint16(r.GetStartPort()), EndPort: uint16(r.GetEndPort())}
		s.Start, _ = netip.AddrFromSlice(r.GetStart())
		s.End, _ = netip.AddrFromSlice(r.GetEnd())
		s.Type = selectorType(s.Start)
		selectors = append(selectors, s)
	}
	return selectors
}

func selectorsTo(list []ike.Selector) []*record.Selector {
	var selectors []*record.Selector
	for _, s := range list {
		selectors = append(selectors, &record.Selector{Protocol: uint32(s.Protocol), StartPort: uint32(s.StartPort),
			EndPort: uint32(s.EndPort), Start: s.Start.AsSlice(), End: s.End.AsSlice()})
	}
	return selectors
}

func pathFrom(local, remote []byte, localPort, remotePort uint32) Path {
	l, _ := netip.AddrFromSlice(local)
	r, _ := netip.AddrFromSlice(remote)
	return Path{netip.AddrPortFrom(l, uint16(localPort)), netip.AddrPortFrom(r, uint16(remotePort))}
}

func pathOf(r *record.Path) Path {
	return pathFrom(r.GetLocal(), r.GetRemote(), r.GetLocalPort(), r.GetRemotePort())
}

// PathRecord is p as it stands in events.
func PathRecord(p Path) *record.Path {
	if !p.Local.IsValid() && !p.Remote.IsValid() {
		return nil
	}
	return &record.Path{Local: p.Local.Addr().AsSlice(), LocalPort: uint32(p.Local.Port()),
		Remote: p.Remote.Addr().AsSlice(), RemotePort: uint32(p.Remote.Port())}
}
