package kerneltest

import (
	"bytes"
	"net/netip"

	"github.com/ikejd/ikejd/effects/kernel"
)

// Ends between which the suite installs.
var (
	Local4  = netip.MustParseAddr("192.0.2.1")
	Remote4 = netip.MustParseAddr("192.0.2.2")
	Other4  = netip.MustParseAddr("192.0.2.3")
	Local6  = netip.MustParseAddr("2001:db8::1")
	Remote6 = netip.MustParseAddr("2001:db8::2")
)

// Child is a Child SA that every dataplane installs: ESP in tunnel mode, AES-GCM-16 with 256 bits
// (transform 20), replay window 32, 10.1.0.0/16 to 10.2.0.0/16.
func Child(inboundSPI, outboundSPI uint32) kernel.Child {
	return kernel.Child{
		Ticket:      kernel.Ticket{Step: 1},
		IKESA:       1,
		ChildSA:     uint64(inboundSPI),
		InboundSPI:  inboundSPI,
		OutboundSPI: outboundSPI,
		Local:       Local4, Remote: Remote4,
		Protocol: kernel.ESP,
		Encr:     20, KeyLength: 256,
		ReplayWindow: 32,
		KeysIn:       keys(36, 0),
		KeysOut:      keys(36, 0),
		TSLocal:      []kernel.Selector{selector("10.1.0.0", "10.1.255.255")},
		TSRemote:     []kernel.Selector{selector("10.2.0.0", "10.2.255.255")},
	}
}

// keys are keys of these lengths, in octets.
func keys(encr, integ int) kernel.Keys {
	return kernel.Keys{EncrKey: bytes.Repeat([]byte{0xe1}, encr), IntegKey: bytes.Repeat([]byte{0x1e}, integ)}
}

// selector is all traffic of a range of addresses.
func selector(start, end string) kernel.Selector {
	return kernel.Selector{EndPort: 65535, Start: netip.MustParseAddr(start), End: netip.MustParseAddr(end)}
}
