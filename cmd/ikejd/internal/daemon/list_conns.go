package daemon

import (
	"context"
	"strconv"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// The configuration, as list-conns tells it.

func (d *Daemon) listConns(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	connections := d.config.connections()
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
	m.List(vici.KeyLocalAddrs, hostNames(c.LocalAddrs)...)
	m.List(vici.KeyRemoteAddrs, hostNames(c.RemoteAddrs)...)
	m.Set(vici.KeyVersion, "IKEv2")
	m.Set(vici.KeyConnReauth, wholeSeconds(c.ReauthTime))
	m.Set(vici.KeyConnRekey, wholeSeconds(c.RekeyTime))
	m.Set(vici.KeyConnUnique, [...]string{"UNIQUE_NO", "UNIQUE_NEVER", "UNIQUE_KEEP", "UNIQUE_REPLACE"}[c.Unique])
	if c.DPDDelay != 0 {
		m.Set(vici.KeyDPDDelay, wholeSeconds(c.DPDDelay))
	}
	describeAuth(m.Section("local-1"), &c.Local)
	describeAuth(m.Section("remote-1"), &c.Remote)
	children := m.Section("children")
	for i := range c.Children {
		child := &c.Children[i]
		section := children.Section(child.Name)
		section.Set(vici.KeyMode, modeName(child.Mode == conf.Transport))
		section.Set("rekey_time", wholeSeconds(child.RekeyTime))
		section.Set("rekey_bytes", strconv.FormatUint(child.RekeyBytes, 10))
		section.Set("rekey_packets", strconv.FormatUint(child.RekeyPackets, 10))
		section.Set("dpd_action", actionName(child.DPDAction))
		section.Set("close_action", actionName(child.CloseAction))
		section.List(vici.KeyLocalTS, configSelectors(child.LocalTS)...)
		section.List(vici.KeyRemoteTS, configSelectors(child.RemoteTS)...)
	}
}

func describeAuth(m *vici.Message, a *conf.Auth) {
	if a.ID != "" {
		m.Set("id", a.ID)
	}
	m.Set("class", "pre-shared key")
	for _, list := range []string{"groups", "cert_policy", "certs", "cacerts"} {
		m.List(list)
	}
}

// hostNames are the entries of local_addrs or remote_addrs as written, %any for none.
func hostNames(hosts []conf.Host) []string {
	if len(hosts) == 0 {
		return []string{"%any"}
	}
	var all []string
	for _, h := range hosts {
		if h.Name != "" {
			all = append(all, h.Name)
			continue
		}
		all = append(all, hostTexts([]conf.Host{h})...)
	}
	return all
}

func configSelectors(list []conf.Selector) []string {
	var texts []string
	for _, s := range recordSelectors(list) {
		texts = append(texts, selectorText(s))
	}
	return texts
}

func wholeSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
