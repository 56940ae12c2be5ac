package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// What is there, as list-sas and list-conns tell it. A published State is read without holding anything up.

func (d *Daemon) listSAs(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	state := d.engine.State()
	ikeID, err := number(request, vici.KeyIKEID)
	if err != nil {
		return vici.Message{}, err
	}
	name := request.Get(vici.KeyIKE)
	var failed error
	state.EachSA(0, func(sa *reducer.IKESA) bool {
		if name != "" && sa.Connection != name || ikeID != 0 && sa.Number != ikeID {
			return true
		}
		var m vici.Message
		d.describeSA(m.Section(sa.Connection), sa, d.clock.Now(), sa.Children)
		failed = s.Raise(ctx, vici.EventListSA, m)
		return failed == nil
	})
	return vici.Message{}, failed
}

// phaseName is the state of an SA in strongSwan's words.
func phaseName(p reducer.Phase) string {
	switch p {
	case reducer.HalfOpen:
		return "CONNECTING"
	case reducer.Established:
		return "ESTABLISHED"
	case reducer.Deleting:
		return "DELETING"
	case reducer.Lingering:
		return "DESTROYING"
	}
	return "CREATED"
}

// describeSA writes an IKE SA and some of its children into m. now is event time.
func (d *Daemon) describeSA(m *vici.Message, sa *reducer.IKESA, now int64, children []reducer.ChildSA) {
	m.Set(vici.KeyUniqueID, strconv.FormatUint(sa.Number, 10))
	m.Set(vici.KeyVersion, "2")
	m.Set(vici.KeyState, phaseName(sa.Phase))
	m.Set(vici.KeyLocalHost, sa.Path.Local.Addr().String())
	m.Set(vici.KeyLocalPort, strconv.Itoa(int(sa.Path.Local.Port())))
	m.Set(vici.KeyLocalID, identityText(sa.LocalID))
	m.Set(vici.KeyRemoteHost, sa.Path.Remote.Addr().String())
	m.Set(vici.KeyRemotePort, strconv.Itoa(int(sa.Path.Remote.Port())))
	m.Set(vici.KeyRemoteID, identityText(sa.RemoteID))
	if sa.Initiator {
		m.Set(vici.KeyInitiator, vici.Yes)
	}
	m.Set(vici.KeyInitiatorSPI, fmt.Sprintf("%016x", sa.SPIi))
	m.Set(vici.KeyResponderSPI, fmt.Sprintf("%016x", sa.SPIr))
	if sa.LocalNAT {
		m.Set(vici.KeyNATLocal, vici.Yes)
	}
	if sa.RemoteNAT {
		m.Set(vici.KeyNATRemote, vici.Yes)
	}
	if sa.LocalNAT || sa.RemoteNAT {
		m.Set(vici.KeyNATAny, vici.Yes)
	}
	if sa.Suite.Encr != 0 {
		describeSuite(m, sa.Suite)
		m.Set(vici.KeyPRFAlg, algorithmName(ike.TransformPRF, sa.Suite.PRF))
		m.Set(vici.KeyDHGroup, algorithmName(ike.TransformKE, uint16(sa.Suite.Group)))
	}
	if sa.Established != 0 {
		m.Set(vici.KeyEstablished, seconds(now-sa.Established))
	}
	var queued, active []string
	for _, w := range sa.Window.Waiting {
		queued = append(queued, taskName(w.Wish))
	}
	for _, r := range sa.Window.InFlight {
		active = append(active, taskName(r.Wish.Wish))
	}
	if queued != nil {
		m.List(vici.KeyTasksQueued, queued...)
	}
	if active != nil {
		m.List(vici.KeyTasksActive, active...)
	}
	all := m.Section(vici.KeyChildSAs)
	for i := range children {
		child := &children[i]
		d.describeChild(all.Section(child.Name+"-"+strconv.FormatUint(child.Number, 10)), sa, child, now)
	}
}

func taskName(w reducer.Wish) string {
	return "IKE_" + strings.ToUpper(strings.ReplaceAll(w.String(), "-", "_"))
}

func describeSuite(m *vici.Message, s reducer.Suite) {
	m.Set(vici.KeyEncrAlg, algorithmName(ike.TransformENCR, s.Encr))
	if s.KeyLength != 0 {
		m.Set(vici.KeyEncrKeysize, strconv.Itoa(int(s.KeyLength)))
	}
	if s.Integ != 0 {
		m.Set(vici.KeyIntegAlg, algorithmName(ike.TransformINTEG, s.Integ))
	}
}

func (d *Daemon) describeChild(m *vici.Message, sa *reducer.IKESA, child *reducer.ChildSA, now int64) {
	id := strconv.FormatUint(child.Number, 10)
	m.Set(vici.KeyName, child.Name)
	m.Set(vici.KeyUniqueID, id)
	m.Set(vici.KeyReqID, id)
	m.Set(vici.KeyState, strings.ToUpper(child.Phase.String()))
	m.Set(vici.KeyMode, map[bool]string{false: "TUNNEL", true: "TRANSPORT"}[child.TransportMode])
	m.Set(vici.KeyProtocol, child.Protocol.String())
	if sa.LocalNAT || sa.RemoteNAT {
		m.Set(vici.KeyEncap, vici.Yes)
	}
	m.Set(vici.KeySPIIn, fmt.Sprintf("%08x", child.InboundSPI))
	m.Set(vici.KeySPIOut, fmt.Sprintf("%08x", child.OutboundSPI))
	if child.Suite.Encr != 0 {
		describeSuite(m, child.Suite)
	}
	if child.Suite.SequenceNumbers == ike.SN64 {
		m.Set(vici.KeyESN, "1")
	}
	if child.Installed != 0 {
		if usage, err := d.plane.Query(childKey(child)); err == nil {
			m.Set(vici.KeyBytesIn, strconv.FormatUint(usage.BytesIn, 10))
			m.Set(vici.KeyPacketsIn, strconv.FormatUint(usage.PacketsIn, 10))
			m.Set(vici.KeyBytesOut, strconv.FormatUint(usage.BytesOut, 10))
			m.Set(vici.KeyPacketsOut, strconv.FormatUint(usage.PacketsOut, 10))
		}
		m.Set(vici.KeyInstallTime, seconds(now-child.Installed))
	}
	m.List(vici.KeyLocalTS, selectorTexts(child.LocalTS)...)
	m.List(vici.KeyRemoteTS, selectorTexts(child.RemoteTS)...)
}

func childKey(c *reducer.ChildSA) kernel.ChildKey {
	return kernel.ChildKey{Protocol: kernel.ESP, Local: c.Path.Local.Addr(), Remote: c.Path.Remote.Addr(), InboundSPI: c.InboundSPI, OutboundSPI: c.OutboundSPI}
}

func seconds(ns int64) string { return strconv.FormatInt(max(ns, 0)/1e9, 10) }

// identityText is an identity as strongSwan writes it; "%any" while there is none.
func identityText(id reducer.Identity) string {
	return creds.ID{Type: uint8(id.Type), Data: []byte(id.Data)}.String()
}

// viciName is an algorithm's name without the RFC's registry in front, and the curves as strongSwan spells them.
func viciName(name string) string {
	switch name {
	case "Curve25519":
		return "CURVE_25519"
	case "Curve448":
		return "CURVE_448"
	}
	for _, prefix := range []string{"ENCR_", "AUTH_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

func selectorTexts(list []ike.Selector) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, selectorText(s))
	}
	return texts
}

func selectorText(s ike.Selector) string {
	text := s.Start.String() + ".." + s.End.String()
	if prefix, ok := prefixOf(s.Start, s.End); ok {
		text = prefix.String()
	}
	if s.Protocol == 0 && s.StartPort == 0 && s.EndPort == 0xffff {
		return text
	}
	ports := strconv.Itoa(int(s.StartPort)) + "-" + strconv.Itoa(int(s.EndPort))
	switch {
	case s.StartPort == 0 && s.EndPort == 0xffff:
		return fmt.Sprintf("%s[%d]", text, s.Protocol)
	case s.Opaque():
		ports = "opaque"
	case s.StartPort == s.EndPort:
		ports = strconv.Itoa(int(s.StartPort))
	}
	return fmt.Sprintf("%s[%d/%s]", text, s.Protocol, ports)
}

// prefixOf is the prefix that a range is, if it is one.
func prefixOf(start, end netip.Addr) (netip.Prefix, bool) {
	for bits := start.BitLen(); bits >= 0; bits-- {
		p, err := start.Prefix(bits)
		if err != nil || p.Addr() != start {
			return netip.Prefix{}, false
		}
		last := p.Addr().AsSlice()
		for i := bits; i < len(last)*8; i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		if a, _ := netip.AddrFromSlice(last); a == end {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

func (d *Daemon) listConns(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	d.mu.Lock()
	connections := d.allConfig().Connections
	d.mu.Unlock()
	for i := range connections {
		c := &connections[i]
		if name := request.Get(vici.KeyIKE); name != "" && name != c.Name {
			continue
		}
		var m vici.Message
		describeConnection(m.Section(c.Name), c)
		if err := s.Raise(ctx, vici.EventListConn, m); err != nil {
			return vici.Message{}, err
		}
	}
	return vici.Message{}, nil
}

func describeConnection(m *vici.Message, c *conf.Connection) {
	m.List(vici.KeyLocalAddrs, anyIfNone(hostTexts(c.LocalAddrs))...)
	m.List(vici.KeyRemoteAddrs, anyIfNone(hostTexts(c.RemoteAddrs))...)
	m.Set(vici.KeyVersion, "IKEv2")
	m.Set(vici.KeyConnReauth, strconv.Itoa(int(c.ReauthTime.Seconds())))
	m.Set(vici.KeyConnRekey, strconv.Itoa(int(c.RekeyTime.Seconds())))
	m.Set(vici.KeyConnUnique, [...]string{"UNIQUE_NO", "UNIQUE_NEVER", "UNIQUE_KEEP", "UNIQUE_REPLACE"}[c.Unique])
	m.Set(vici.KeyDPDDelay, strconv.Itoa(int(c.DPDDelay.Seconds())))
	for side, auth := range map[string]*conf.Auth{"local-1": &c.Local, "remote-1": &c.Remote} {
		section := m.Section(side)
		section.Set("class", "pre-shared key")
		if auth.ID != "" {
			section.Set("id", auth.ID)
		}
		for _, list := range []string{"groups", "cert_policy", "certs", "cacerts"} {
			section.List(list)
		}
	}
	children := m.Section("children")
	for i := range c.Children {
		child := &c.Children[i]
		section := children.Section(child.Name)
		section.Set(vici.KeyMode, map[conf.Mode]string{conf.Tunnel: "TUNNEL", conf.Transport: "TRANSPORT"}[child.Mode])
		section.Set("rekey_time", strconv.Itoa(int(child.RekeyTime.Seconds())))
		section.List(vici.KeyLocalTS, configSelectors(child.LocalTS)...)
		section.List(vici.KeyRemoteTS, configSelectors(child.RemoteTS)...)
	}
}

func configSelectors(list []conf.Selector) []string {
	var texts []string
	for _, s := range list {
		if s.Dynamic {
			texts = append(texts, "dynamic")
			continue
		}
		texts = append(texts, selectorText(ike.Selector{Protocol: s.Protocol, StartPort: s.PortLow, EndPort: s.PortHigh, Start: s.Low, End: s.High}))
	}
	return texts
}

func anyIfNone(list []string) []string {
	if len(list) == 0 {
		return []string{"%any"}
	}
	return list
}
