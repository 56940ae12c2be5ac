package conf

import (
	"errors"
	"math"
	"time"
)

var (
	errEAP    = errors.New("EAP and XAuth are not built; write auth = psk, and the key in secrets { }")
	errPubkey = errors.New("certificates and public keys are not built; write auth = psk, and the key in secrets { }")
	errAuth   = errors.New("unknown method of authentication; write auth = psk")
)

const (
	defaultChildRekey = time.Hour
	noTrap            = "trap policies are not built yet; write start, or none"
)

func readChildren(c *reader) []Child {
	section := c.section.Sub("children")
	if section == nil {
		return nil
	}
	newReader(c.report, section, c.path+".children", nil).refuseValues("write: children { net { local_ts = 10.1.0.0/16 ... } }")
	children := make([]Child, 0, len(section.Sections))
	for _, sub := range section.Sections {
		children = append(children, readChild(newReader(c.report, sub, c.path+".children."+sub.Name, childKeys)))
	}
	return children
}

func readChild(r *reader) Child {
	r.checkKeys()
	c := Child{
		Name:         r.section.Name,
		Pos:          r.section.Pos,
		Proposals:    parseProposals(r, "esp_proposals", true),
		Mode:         choose(r, "mode", Tunnel, modeWords),
		LocalTS:      readSelectors(r, "local_ts"),
		RemoteTS:     readSelectors(r, "remote_ts"),
		StartAction:  choose(r, "start_action", StartNone, startWords),
		DPDAction:    choose(r, "dpd_action", ActionNone, actionWords),
		CloseAction:  choose(r, "close_action", ActionNone, actionWords),
		ReplayWindow: uint32(r.number("replay_window", 32, math.MaxUint16)),
		Inactivity:   r.time("inactivity", 0),
	}
	if v, set := r.section.Lookup("replay_window"); set && c.ReplayWindow == 0 {
		r.fail(v.Pos, "replay_window = 0", "without a window packets could be replayed; write at least 32")
	}
	rekey, life := defaultChildRekey, r.time("life_time", 0)
	if life > 0 {
		rekey = life * 10 / 11
	}
	c.RekeyTime = r.time("rekey_time", rekey)
	c.LifeTime, c.RandTime = r.lifetime("time", c.RekeyTime, life, r.time)
	c.RekeyBytes = r.size("rekey_bytes", 0)
	c.LifeBytes, c.RandBytes = r.volume("bytes", c.RekeyBytes, r.size("life_bytes", 0), r.size)
	packets := func(key string, otherwise uint64) uint64 { return r.number(key, otherwise, math.MaxInt64) }
	c.RekeyPackets = packets("rekey_packets", 0)
	c.LifePackets, c.RandPackets = r.volume("packets", c.RekeyPackets, packets("life_packets", 0), packets)
	return c
}

// lifetime fills in the hard limit, a tenth above the soft one, and the random part, the difference of the two.
func (r *reader) lifetime(what string, rekey, life time.Duration, read func(string, time.Duration) time.Duration) (hard, random time.Duration) {
	h, d := r.volume(what, uint64(rekey), uint64(life), func(key string, otherwise uint64) uint64 {
		return uint64(read(key, time.Duration(otherwise)))
	})
	return time.Duration(h), time.Duration(d)
}

// volume is lifetime for octets and packets.
func (r *reader) volume(what string, rekey, life uint64, read func(string, uint64) uint64) (hard, random uint64) {
	if life == 0 && rekey > 0 {
		life = rekey + rekey/tenthOf
	}
	if v, set := r.section.Lookup("life_" + what); set && life > 0 && life <= rekey {
		r.fail(v.Pos, "life_"+what+" is not above rekey_"+what, "the child would end before it is rekeyed; make it larger")
		return life, 0
	}
	random = 0
	if rekey > 0 {
		random = read("rand_"+what, life-rekey)
		if v, set := r.section.Lookup("rand_" + what); set && random >= rekey {
			r.fail(v.Pos, "rand_"+what+" is not below rekey_"+what, "make it smaller, such as a tenth of it")
		}
	}
	return life, random
}

// readSelectors reads local_ts or remote_ts; dynamic where nothing is set.
func readSelectors(r *reader, key string) []Selector {
	var selectors []Selector
	r.list(key, func(text string) error {
		s, err := parseSelector(text)
		if err == nil {
			selectors = append(selectors, s)
		}
		return err
	})
	if len(selectors) == 0 {
		selectors = []Selector{{Dynamic: true, PortHigh: math.MaxUint16}}
	}
	return selectors
}

var modeWords = []choice[Mode]{
	{word: "tunnel", value: Tunnel},
	{word: "transport", value: Transport},
	{word: "transport_proxy", refuse: "Mobile IPv6 proxy mode is not built; write transport"},
	{word: "beet", refuse: "BEET mode is not built; write tunnel"},
	{word: "iptfs", refuse: "AGGFRAG mode (RFC 9347) is not built; write tunnel"},
	{word: "pass", refuse: "policies without IPsec are not built; let the traffic pass with: ip xfrm policy add"},
	{word: "drop", refuse: "policies without IPsec are not built, and the traffic would pass; drop it in the firewall"},
}

var startWords = []choice[StartAction]{
	{word: "none", value: StartNone},
	{word: "start", value: StartInitiate},
	{word: "trap", refuse: noTrap},
	{word: "route", refuse: noTrap},
	{word: "trap|start", refuse: noTrap},
	{word: "start|trap", refuse: noTrap},
}

// Both keys take the words of either, as strongSwan does.
var actionWords = []choice[Action]{
	{word: "none", value: ActionNone},
	{word: "clear", value: ActionNone},
	{word: "start", value: ActionStart},
	{word: "restart", value: ActionStart},
	{word: "trap", refuse: noTrap},
	{word: "hold", refuse: noTrap},
	{word: "route", refuse: noTrap},
}
