package daemon

import (
	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/proto/record"
)

// recordConfig is a configuration as a ConfigLoaded event has it: everything the reducer decides by, no secret.
func recordConfig(s *conf.Settings, connections []conf.Connection, natPort uint16) *record.Config {
	config := &record.Config{Settings: &record.Settings{
		RetransmitSends: uint32(s.Retransmit.Sends), RetransmitFirst: uint64(s.Retransmit.FirstWait),
		RetransmitLeast: uint64(s.Retransmit.LeastWait), RetransmitMost: uint64(s.Retransmit.MostWait),
		RetransmitGrowth: uint32(s.Retransmit.GrowthPercent), RetransmitJitter: uint32(s.Retransmit.JitterPercent) + 1,
		HalfOpen: uint64(s.Limits.HalfOpenLife), HalfOpenLeast: uint64(s.Limits.HalfOpenLeastLife), HalfOpenMost: uint32(s.Limits.HalfOpen),
		LingerLeast: uint64(s.Linger.Least), LingerMost: uint64(s.Linger.Most), DiscardAfter: uint64(s.DiscardAfter),
		ShutdownRate: uint32(s.Shutdown.DeletesPerSecond), ShutdownLinger: uint64(s.Linger.InShutdown), ShutdownSends: uint32(s.Shutdown.Sends),
		SetUpRounds: uint32(s.Limits.SetupRounds), NatPort: uint32(natPort)}}
	for i := range connections {
		config.Connections = append(config.Connections, recordConnection(&connections[i]))
	}
	return config
}

func recordConnection(c *conf.Connection) *record.Connection {
	r := &record.Connection{Name: c.Name, LocalAddrs: hostTexts(c.LocalAddrs), RemoteAddrs: hostTexts(c.RemoteAddrs),
		LocalPort: uint32(c.LocalPort), RemotePort: uint32(c.RemotePort), Proposals: recordProposals(c.Proposals),
		LocalId: recordIdentity(c.Local.Wire), RemoteId: recordIdentity(c.Remote.Wire), DpdDelay: uint64(c.DPDDelay), Encap: c.Encap,
		KeyingTries: uint32(c.KeyingTries), Unique: record.Unique(c.Unique),
		RekeyTime: uint64(c.RekeyTime), OverTime: uint64(c.OverTime), RandTime: uint64(c.RandTime)}
	for i := range c.Children {
		child := &c.Children[i]
		r.Children = append(r.Children, &record.Child{Name: child.Name, LocalTs: recordSelectors(child.LocalTS),
			RemoteTs: recordSelectors(child.RemoteTS), Proposals: recordProposals(child.Proposals),
			TransportMode: child.Mode == conf.Transport, StartAction: record.StartAction(child.StartAction),
			DpdAction: record.StartAction(child.DPDAction), CloseAction: record.StartAction(child.CloseAction),
			RekeyTime: uint64(child.RekeyTime), LifeTime: uint64(child.LifeTime), RandTime: uint64(child.RandTime)})
	}
	return r
}

// hostTexts are the addresses, prefixes and ranges of a list. A name stands for any address when we answer: the identities
// decide, and names are resolved when we initiate.
func hostTexts(hosts []conf.Host) []string {
	var texts []string
	for _, h := range hosts {
		switch {
		case h.Addr.IsValid():
			texts = append(texts, h.Addr.String())
		case h.Prefix.IsValid():
			texts = append(texts, h.Prefix.String())
		case h.Low.IsValid():
			texts = append(texts, h.Low.String()+"-"+h.High.String())
		default:
			return nil
		}
	}
	return texts
}

func recordIdentity(id creds.ID) *record.Identity {
	if id.Type == 0 {
		return nil
	}
	return &record.Identity{Type: uint32(id.Type), Data: id.Data}
}

func recordProposals(list []conf.Proposal) []*record.Proposal {
	var proposals []*record.Proposal
	for _, p := range list {
		r := &record.Proposal{Prfs: wide(p.PRF), Integs: wide(p.Integ), Groups: wide(p.Groups), SequenceNumbers: wide(p.ESN)}
		for _, cipher := range p.Encr {
			r.Ciphers = append(r.Ciphers, &record.Cipher{Id: uint32(cipher.ID), KeyLength: uint32(cipher.KeyLength)})
		}
		proposals = append(proposals, r)
	}
	return proposals
}

func wide(list []uint16) []uint32 {
	var all []uint32
	for _, n := range list {
		all = append(all, uint32(n))
	}
	return all
}

func recordSelectors(list []conf.Selector) []*record.Selector {
	var selectors []*record.Selector
	for _, s := range list {
		r := &record.Selector{Protocol: uint32(s.Protocol), StartPort: uint32(s.PortLow), EndPort: uint32(s.PortHigh)}
		if !s.Dynamic {
			r.Start, r.End = s.Low.AsSlice(), s.High.AsSlice()
		}
		selectors = append(selectors, r)
	}
	return selectors
}

// limits are those of PROTOCOL.md, section K, that the door keeps.
func limits(s *conf.Settings) engine.Limits {
	l := &s.Limits
	return engine.Limits{HalfOpenMost: l.HalfOpen, HalfOpenSource: l.HalfOpenSource, CookiesAll: orNone(l.CookiesFrom),
		CookiesSource: orNone(l.CookiesFromSource), RefusalsSource: orNone(l.AnswersSource), RefusalsAll: orNone(l.Answers),
		BadICV: l.AuthTries, CookieLife: l.CookieSecretLife, Samples: orNone(l.Samples)}
}

// orNone keeps a 0 of the configuration from standing for the engine's default.
func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}
