package udp_test

import (
	"fmt"
	"net/netip"

	"github.com/ikejd/ikejd/effects/udp"
)

func Example() {
	s, err := udp.Open(udp.Config{
		Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, // port 0: free ones
		Now:    func() int64 { return 0 },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ike, nat := s.Ports()
	s.Send([]udp.Outgoing{{Local: s.Addrs()[0], Remote: netip.AddrPortFrom(s.Addrs()[0].Addr(), nat), Bytes: make([]byte, 28)}})
	fmt.Println(ike != nat, s.Counters().ToOurselves.Load())
	fmt.Println(s.Close())
	// Output:
	// true 1
	// <nil>
}
