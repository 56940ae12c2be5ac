package simulate

import (
	"fmt"
	"math"

	"github.com/ikejd/ikejd/reducer"
)

// What must hold once nothing goes wrong any more.

// halves are the Child SAs of an IKE SA as one end names them: what it receives on, and sends to.
type halves struct{ inbound, outbound uint32 }

// disagreement is what two ends see differently, or what is not at rest yet; "" is that both ends agree (COL-07) and
// every kernel has what the State says (KRN-01).
func (w *World) disagreement() (*Node, string) {
	ends := map[[2]uint64][]*reducer.IKESA{}
	for _, n := range w.Nodes {
		if n.left {
			continue
		}
		if !n.up() {
			return n, "the node is down"
		}
		if what := restless(n); what != "" {
			return n, what
		}
		children := 0
		for _, sa := range living(n.state()) {
			for _, c := range sa.Children {
				if !n.kernel.Has(c.InboundSPI, c.OutboundSPI) {
					return n, fmt.Sprintf("child%d is not in the kernel (KRN-01)", c.Number)
				}
				children++
			}
			key := [2]uint64{sa.SPIi, sa.SPIr}
			ends[key] = append(ends[key], sa)
		}
		if there := n.kernel.Children(); there != children {
			return n, fmt.Sprintf("the kernel has %d Child SAs, and the State %d (KRN-01)", there, children)
		}
		if reserved := n.kernel.Reservations(); reserved > 0 {
			return n, fmt.Sprintf("%d inbound SPIs are reserved and not used (KRN-01)", reserved)
		}
	}
	for _, n := range w.Nodes { // in the order of nodes: a map has none
		for _, sa := range living(n.state()) {
			key := [2]uint64{sa.SPIi, sa.SPIr}
			if what := w.disagree(sa, ends[key]); what != "" {
				return n, what
			}
		}
	}
	return nil, ""
}

// restless is what of a node's SAs is under way; "" is nothing.
func restless(n *Node) string {
	for _, sa := range living(n.state()) {
		switch {
		case sa.Phase != reducer.Established:
			return fmt.Sprintf("ike%d is still %v", sa.Number, sa.Phase)
		case len(sa.Window.InFlight) > 0 || len(sa.Window.Waiting) > 0:
			return fmt.Sprintf("ike%d still has %d requests in flight and %d waiting", sa.Number, len(sa.Window.InFlight), len(sa.Window.Waiting))
		}
		for _, c := range sa.Children {
			if c.Phase != reducer.Installed {
				return fmt.Sprintf("child%d is still %v", c.Number, c.Phase)
			}
		}
	}
	return ""
}

// agreed lets both ends come to rest, and holds their journals against each other: what the rules count at one end is what
// they count at the other (COL-07), and no two nodes were one end of an SA (REC-04).
func (w *World) agreed() bool {
	if !w.until(patience, "COL-07", w.disagreement) {
		return false
	}
	for i, a := range w.Nodes {
		for j, b := range w.Nodes {
			if i != j && !a.left && !b.left && !w.silent() {
				a.judge(a.auditor.Joint(b.auditor, math.MaxInt64))
			}
		}
	}
	return w.wrong == nil
}

func (w *World) disagree(sa *reducer.IKESA, ends []*reducer.IKESA) string {
	if len(ends) == 1 && w.silent() {
		return "" // the other end plays the wrong half
	}
	if len(ends) != 2 {
		return fmt.Sprintf("ike%d (%016x_i %016x_r) is %v here and not there", sa.Number, sa.SPIi, sa.SPIr, sa.Phase)
	}
	mine, theirs := map[halves]bool{}, map[halves]bool{}
	for _, c := range ends[0].Children {
		mine[halves{c.InboundSPI, c.OutboundSPI}] = true
	}
	for _, c := range ends[1].Children {
		theirs[halves{c.OutboundSPI, c.InboundSPI}] = true
		if !mine[halves{c.OutboundSPI, c.InboundSPI}] {
			return fmt.Sprintf("child %08x of ike%d is there at one end only", c.OutboundSPI, sa.Number)
		}
	}
	if len(mine) != len(theirs) {
		return fmt.Sprintf("ike%d has %d children at one end and %d at the other", sa.Number, len(mine), len(theirs))
	}
	return ""
}

// leftover is what is not gone after everything was closed; "" is nothing.
func (w *World) leftover() (*Node, string) {
	for _, n := range w.Nodes {
		if n.left {
			if there := n.kernel.Children(); there > 0 && !n.silent {
				return n, fmt.Sprintf("it has ended, and left %d Child SAs in the kernel", there)
			}
			continue
		}
		if !n.up() {
			return n, "the node is down"
		}
		s := n.state()
		for _, sa := range living(s) {
			return n, fmt.Sprintf("ike%d is still %v", sa.Number, sa.Phase)
		}
		held := n.life.d.Held()
		vault, err := n.disk.Vault()
		if err != nil {
			return n, err.Error()
		}
		for _, c := range []struct {
			what  string
			count int
		}{
			{"Child SAs in the kernel", n.kernel.Children()}, {"reserved SPIs", n.kernel.Reservations()},
			{"secrets in the keyring", n.life.d.Secrets()}, {"secrets in the vault", len(vault)},
			{"timers", held.Timers}, {"datagrams to be sent again", held.Datagrams},
			{"datagrams on their way to the reducer", held.InHand}, {"orders to the kernel", held.Owed},
			{"half-open SAs counted", s.HalfOpen()},
		} {
			if c.count != 0 {
				return n, fmt.Sprintf("there are %d %s left", c.count, c.what)
			}
		}
	}
	return nil, ""
}

// silent reports whether a node was stopped in the middle of things.
func (w *World) silent() bool {
	for _, n := range w.Nodes {
		if n.silent {
			return true
		}
	}
	return false
}
