package daemon

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// What there is, as list-sas tells it. A published State is read without holding anything up.

func (d *Daemon) listSAs(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	which, err := readFilter(request)
	if err != nil {
		return vici.Message{}, err
	}
	now := d.clock.Now()
	d.engine.State().EachSA(which.ikeID, func(sa *reducer.IKESA) bool {
		if which.ikeID != 0 && sa.Number != which.ikeID {
			return false
		}
		if !which.takesSA(sa) {
			return true
		}
		children := sa.Children
		if which.ofChildren() {
			children = nil
			for i := range sa.Children {
				if which.takesChild(&sa.Children[i]) {
					children = append(children, sa.Children[i])
				}
			}
			if children == nil {
				return true
			}
		}
		var m vici.Message
		d.describeSA(m.Section(sa.Connection), sa, now, children)
		err = s.Raise(ctx, vici.EventListSA, m)
		return err == nil
	})
	return vici.Message{}, err
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
	yes(m, vici.KeyInitiator, sa.Initiator)
	m.Set(vici.KeyInitiatorSPI, fmt.Sprintf("%016x", sa.SPIi))
	m.Set(vici.KeyResponderSPI, fmt.Sprintf("%016x", sa.SPIr))
	yes(m, vici.KeyNATLocal, sa.LocalNAT)
	yes(m, vici.KeyNATRemote, sa.RemoteNAT)
	yes(m, vici.KeyNATAny, sa.LocalNAT || sa.RemoteNAT)
	if sa.Suite.Encr != 0 {
		describeSuite(m, sa.Suite)
		m.Set(vici.KeyPRFAlg, algorithmName(ike.TransformPRF, sa.Suite.PRF))
		m.Set(vici.KeyDHGroup, algorithmName(ike.TransformKE, uint16(sa.Suite.Group)))
	}
	if sa.Established != 0 {
		m.Set(vici.KeyEstablished, seconds(now-sa.Established))
	}
	if at, armed := sa.RekeyDue(); armed {
		m.Set(vici.KeyRekeyTime, seconds(at-now))
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
	m.Set(vici.KeyMode, modeName(child.TransportMode))
	m.Set(vici.KeyProtocol, child.Protocol.String())
	yes(m, vici.KeyEncap, sa.LocalNAT || sa.RemoteNAT)
	m.Set(vici.KeySPIIn, fmt.Sprintf("%08x", child.InboundSPI))
	m.Set(vici.KeySPIOut, fmt.Sprintf("%08x", child.OutboundSPI))
	if child.Suite.Encr != 0 {
		describeSuite(m, child.Suite)
	}
	if child.Suite.SequenceNumbers == ike.SN64 {
		m.Set(vici.KeyESN, "1")
	}
	if child.Suite.Group != ike.GroupNone {
		m.Set(vici.KeyDHGroup, algorithmName(ike.TransformKE, uint16(child.Suite.Group)))
	}
	if at, armed := child.RekeyDue(); armed {
		m.Set(vici.KeyRekeyTime, seconds(at-now))
	}
	if child.LifeEnds != 0 {
		m.Set(vici.KeyLifeTime, seconds(child.LifeEnds-now))
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

// yes sets a key where it applies; strongSwan leaves it out where it does not.
func yes(m *vici.Message, key string, is bool) {
	if is {
		m.Set(key, vici.Yes)
	}
}

func seconds(ns int64) string { return strconv.FormatInt(max(ns, 0)/1e9, 10) }

// identityText is an identity as strongSwan writes it; "%any" while there is none.
func identityText(id reducer.Identity) string {
	return creds.ID{Type: uint8(id.Type), Data: []byte(id.Data)}.String()
}
