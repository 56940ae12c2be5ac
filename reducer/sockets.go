package reducer

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/record"
)

// A run may listen elsewhere than the run before: an IKE SA that is taken over then sends from a socket that is there. Its peer
// knows the SA by its SPIs and answers where a request came from (RFC 7296, section 2.11).

// moveToSocket moves our end of sa, where nothing listens on it any more: to the same address with the port of this run, or
// else to another address of the same family. Where there is none it stays, and what it sends is lost, which its timers see.
func (t *step) moveToSocket(sa *IKESA, sockets []*record.Socket) {
	local := sa.Path.Local
	floated := (sa.LocalNAT || sa.RemoteNAT) && (sa.SetUp == nil || sa.SetUp.Stage >= MakingAuth && sa.SetUp.Stage < InitAnswered)
	nat := floated || int64(local.Port()) == int64(t.s.config.Settings.NATPort)
	var moved netip.AddrPort
	for _, s := range sockets {
		bound := addrPortOf(s)
		here := bound.Addr() == local.Addr() || bound.Addr().IsUnspecified() && bound.Addr().Is4() == local.Addr().Is4()
		switch {
		case here && bound.Port() == local.Port():
			return
		case s.GetNatPort() != nat || bound.Addr().Is4() != local.Addr().Is4():
			// it takes other messages
		case here:
			moved = withPort(local, bound.Port())
		case !moved.IsValid():
			moved = bound
		}
	}
	if moved.IsValid() {
		sa.Path.Local = moved
	}
}

func addrPortOf(s *record.Socket) netip.AddrPort {
	address, _ := netip.AddrFromSlice(s.GetAddress())
	return netip.AddrPortFrom(address.Unmap(), uint16(s.GetPort()))
}
