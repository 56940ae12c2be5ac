package reducer

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// defaultConfig is in force in every scene that has no other.
const defaultConfig = `
connection gw local=192.0.2.1 remote=203.0.113.9 id=west.example peer=east.example ike=20/256-prf5-ke31
child net local=10.1.0.0/16 remote=10.2.0.0/16 esp=20/256
`

var (
	usualLocal  = netip.MustParseAddrPort("192.0.2.1:500")
	usualRemote = netip.MustParseAddrPort("203.0.113.9:500")
)

// config puts a configuration in force: one line a connection, child (of the connection above) or settings.
//
//	config
//	connection gw local=192.0.2.1 remote=203.0.113.9 id=west.example peer=east.example ike=20/256-prf5-ke31,20/256-prf5-ke19 dpd=30s
//	child net local=10.1.0.0/16 remote=10.2.0.0/16 esp=20/256 start
//	settings retransmit-sends=3
func (s *script) config(_ []string, input string) error {
	config := &record.Config{Settings: &record.Settings{}}
	for line := range strings.SplitSeq(strings.TrimSpace(input), "\n") {
		words := strings.Fields(line)
		a := argsOf(words[1:])
		switch words[0] {
		case "connection":
			config.Connections = append(config.Connections, connectionOf(a))
		case "child":
			child, err := childOf(a)
			if err != nil {
				return err
			}
			last := config.Connections[len(config.Connections)-1]
			last.Children = append(last.Children, child)
		case "settings":
			settingsOf(config.Settings, a)
		default:
			return fmt.Errorf("no line %q in a configuration", words[0])
		}
	}
	s.take(&record.Event{Because: root(record.Root_ROOT_CONFIGURATION), Kind: &record.Event_ConfigLoaded{
		ConfigLoaded: &record.ConfigLoaded{Config: config}}})
	return nil
}

func connectionOf(a args) *record.Connection {
	c := &record.Connection{Name: a.words[0], LocalId: nameOf(a.options["id"]), RemoteId: nameOf(a.options["peer"]),
		Proposals: proposalsOf(a.options["ike"]), DpdDelay: uint64(a.duration("dpd", 0)), KeyingTries: uint32(a.number("tries")),
		RekeyTime: uint64(a.duration("rekey", 0)), OverTime: uint64(a.duration("over", 0)), RandTime: uint64(a.duration("rand", 0)),
		Encap: a.has("encap"), Unique: record.Unique(record.Unique_value["UNIQUE_"+strings.ToUpper(a.options["unique"])])}
	if v := a.options["local"]; v != "" {
		c.LocalAddrs = strings.Split(v, ",")
	}
	if v := a.options["remote"]; v != "" {
		c.RemoteAddrs = strings.Split(v, ",")
	}
	return c
}

func nameOf(name string) *record.Identity {
	if name == "" {
		return nil
	}
	return &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(name)}
}

func childOf(a args) (*record.Child, error) {
	child := &record.Child{Name: a.words[0], Proposals: proposalsOf(a.options["esp"]), TransportMode: a.has("transport"),
		RekeyTime: uint64(a.duration("rekey", 0)), LifeTime: uint64(a.duration("life", 0)), RandTime: uint64(a.duration("rand", 0))}
	for _, side := range []struct {
		key string
		to  *[]*record.Selector
	}{{"local", &child.LocalTs}, {"remote", &child.RemoteTs}} {
		for _, word := range strings.Split(a.options[side.key], ",") {
			if word == "" {
				continue
			}
			selector, err := selectorOf(word)
			if err != nil {
				return nil, err
			}
			*side.to = append(*side.to, selectorsTo([]ike.Selector{selector})...)
		}
	}
	for word, action := range map[string]*record.StartAction{"start": &child.StartAction, "dpd-start": &child.DpdAction, "close-start": &child.CloseAction} {
		if a.has(word) {
			*action = record.StartAction_START_ACTION_START
		}
	}
	return child, nil
}

// proposalsOf reads 20/256-prf5-ke31,12/256-integ12-prf5-ke19.
func proposalsOf(text string) []*record.Proposal {
	var list []*record.Proposal
	for _, p := range strings.Split(text, ",") {
		r := &record.Proposal{}
		for _, word := range strings.Split(p, "-") {
			id := uint32(number(strings.TrimLeft(word, "abcdefghijklmnopqrstuvwxyz")))
			switch strings.TrimRight(word, "0123456789") {
			case "prf":
				r.Prfs = append(r.Prfs, id)
			case "ke":
				r.Groups = append(r.Groups, id)
			case "integ":
				r.Integs = append(r.Integs, id)
			case "sn":
				r.SequenceNumbers = append(r.SequenceNumbers, id)
			default:
				encr, length, _ := strings.Cut(word, "/")
				r.Ciphers = append(r.Ciphers, &record.Cipher{Id: uint32(number(encr)), KeyLength: uint32(number(length))})
			}
		}
		list = append(list, r)
	}
	return list
}

func settingsOf(s *record.Settings, a args) {
	for key, value := range a.options {
		d, _ := time.ParseDuration(value)
		n := uint32(number(value))
		switch key {
		case "retransmit-sends":
			s.RetransmitSends = n
		case "half-open":
			s.HalfOpen = uint64(d)
		case "half-open-most":
			s.HalfOpenMost = n
		case "shutdown-rate":
			s.ShutdownRate = n
		case "discard-after":
			s.DiscardAfter = uint64(d)
		}
	}
}
