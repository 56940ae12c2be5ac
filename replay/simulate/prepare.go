package simulate

import (
	"strconv"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// backSoon is how long a node of a scenario stays down.
const backSoon = 500 * time.Millisecond

// dpd is how often a node of a scenario looks after a quiet peer, unless the scenario has it ask for a sign of life.
const dpd = 100 * time.Second

// prepare configures the nodes as the scenario says.
func (pl *player) prepare() {
	w := pl.w
	count := 1
	settings := &record.Settings{}
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		switch s.Verb {
		case scenario.SAs, scenario.SetUps:
			count = max(count, s.Count)
		case scenario.Command:
			if n, err := strconv.Atoi(firstWord(s.Rest)); s.Word == "load" && err == nil {
				count = max(count, n)
			}
		case scenario.Sends:
			if _, has := pl.probe[s.Node]; s.Msg.Note == "probe" && !has {
				pl.probe[s.Node] = s.At
			}
		case scenario.Wish:
			pl.probe[s.Node] = s.At
		case scenario.Settings:
			pl.setting(settings, s)
		}
	}
	for i, n := range w.Nodes {
		n.config = &record.Config{Settings: settings}
		for k := range count {
			c := connection(n, w.Nodes[1-i], connectionName(k))
			c.DpdDelay = uint64(dpd)
			c.RemoteAddrs = append(c.RemoteAddrs, stranger.Addr().String())
			if at, asked := pl.probe[pl.name(n)]; asked {
				c.DpdDelay = uint64(time.Second + at + 10*time.Millisecond) // the scenario begins a second after the SA
			}
			if pl.scripted() && pl.name(n) == "P" {
				c.DpdDelay = 0 // its daemon asks nothing: what it says of itself is said in its name
			}
			if s := pl.unique(); s != 0 {
				c.Unique = s
			}
			if count > 1 { // each its own identity, or the responder would take the first for all
				c.LocalId.Data = append([]byte(connectionName(k)+"."), c.LocalId.Data...)
				c.RemoteId.Data = append([]byte(connectionName(k)+"."), c.RemoteId.Data...)
			}
			n.config.Connections = append(n.config.Connections, c)
		}
		n.back = backSoon
		n.leaves = true
		if c := pl.crash; c != nil && c.Node == i {
			n.death = death{commit: c.Commit, how: c.How, keep: c.Kept}
		}
	}
	for i := range pl.f.Statements {
		if s := &pl.f.Statements[i]; s.Verb == scenario.Creds && s.At == 0 {
			pl.creds(s)
		}
	}
}

func (pl *player) unique() record.Unique {
	for i := range pl.f.Statements {
		if s := &pl.f.Statements[i]; s.Verb == scenario.Settings && s.Word == "unique" {
			return record.Unique(record.Unique_value["UNIQUE_"+s.Rest])
		}
	}
	return 0
}

// setting is one of the section ikejd { } of the configuration, or a limit of the door; times are seconds.
func (pl *player) setting(to *record.Settings, s *scenario.Statement) {
	n, err := strconv.ParseUint(s.Rest, 10, 32)
	ns := n * uint64(time.Second)
	switch s.Word {
	case "unique":
		return
	case "tries":
		to.RetransmitSends = uint32(n)
	case "discard":
		to.DiscardAfter = ns
	case "half_open":
		to.HalfOpen = ns
	case "cookies_from":
		for _, node := range pl.w.Nodes {
			node.limits.CookiesAll, node.limits.CookiesSource = int(n), int(n)
		}
	case "half_open_limit":
		for _, node := range pl.w.Nodes {
			node.limits.HalfOpenMost, node.limits.HalfOpenSource = int(n), int(n)
		}
	default:
		pl.w.fail("line "+strconv.Itoa(s.Line), nil, "there is no setting %q", s.Word)
	}
	if err != nil {
		pl.w.fail("line "+strconv.Itoa(s.Line), nil, "%s=%s is no number", s.Word, s.Rest)
	}
}

func firstWord(s string) string {
	for i, r := range s {
		if r == ' ' {
			return s[:i]
		}
	}
	return s
}
