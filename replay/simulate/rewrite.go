package simulate

import (
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// rewrite is what P says in place of a response of its daemon: `AUTH(bad)`, the same with an AUTH that proves nothing.
func (pl *player) rewrite(s *scenario.Statement, m *message) *message {
	problem := func(what string) *message {
		pl.w.fail("line "+strconv.Itoa(s.Line), pl.node("P"), "P cannot say %s: %s", s.Msg.What, what)
		return m
	}
	if !strings.HasPrefix(s.Msg.What, "AUTH(bad") {
		return problem("try: AUTH(bad)")
	}
	n := pl.node("P")
	if n.life == nil {
		return m
	}
	for _, sa := range living(n.state()) {
		if sa.SPIi != m.h.SPIi || sa.SPIr != m.h.SPIr {
			continue
		}
		first, payloads, err := n.life.d.Unseal(sa.KeyRef, m.bytes)
		if err != nil {
			return problem(err.Error())
		}
		var list ike.Payloads
		if err := ike.ParsePayloads(first, payloads, &list); err != nil {
			return problem(err.Error())
		}
		auth, there := list.First(ike.PayloadAUTH)
		if !there {
			return m // it refuses anyhow
		}
		auth.Body[len(auth.Body)-1] ^= 1 // of the payloads: the body lies in them
		said := *m
		if said.bytes, err = n.life.d.Seal(sa.KeyRef, m.h, first, payloads); err != nil {
			return problem(err.Error())
		}
		return &said
	}
	return problem("it has no such SA")
}
