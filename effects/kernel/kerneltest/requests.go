package kerneltest

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
)

// refusedByItself has one thing wrong in each row, and nothing else.
func refusedByItself(t *testing.T, d kernel.Dataplane) {
	for _, row := range []struct {
		name  string
		spoil func(*kernel.Child)
		errno syscall.Errno
	}{
		{"inbound SPI 0", func(c *kernel.Child) { c.InboundSPI = 0 }, syscall.EINVAL},
		{"inbound SPI 255", func(c *kernel.Child) { c.InboundSPI = 0xff }, syscall.EINVAL},
		{"outbound SPI 0", func(c *kernel.Child) { c.OutboundSPI = 0 }, syscall.EINVAL},
		{"outbound SPI 255", func(c *kernel.Child) { c.OutboundSPI = 0xff }, syscall.EINVAL},
		{"protocol 0", func(c *kernel.Child) { c.Protocol = 0 }, syscall.EINVAL},
		{"IKE's number for ESP", func(c *kernel.Child) { c.Protocol = 3 }, syscall.EINVAL},
		{"mode 9", func(c *kernel.Child) { c.Mode = 9 }, syscall.EINVAL},
		{"ends of two families", func(c *kernel.Child) { c.Remote = Remote6 }, syscall.EAFNOSUPPORT},
		{"unknown encryption", func(c *kernel.Child) { c.Encr = 1023 }, syscall.ENOSYS},
		{"no encryption", func(c *kernel.Child) { c.Encr, c.KeyLength = 0, 0 }, syscall.ENOSYS},
		{"unknown integrity", func(c *kernel.Child) { c.Encr, c.Integ = 12, 1023 }, syscall.ENOSYS},
		{"key length without one", func(c *kernel.Child) { c.KeyLength = 0 }, syscall.EINVAL},
		{"key length 257", func(c *kernel.Child) { c.KeyLength = 257 }, syscall.EINVAL},
		{"no inbound key", func(c *kernel.Child) { c.KeysIn = keys(0, 0) }, syscall.EINVAL},
		{"no outbound key", func(c *kernel.Child) { c.KeysOut = keys(0, 0) }, syscall.EINVAL},
		{"key without its salt", func(c *kernel.Child) { c.KeysOut = keys(32, 0) }, syscall.EINVAL},
		{"integrity key with an AEAD", func(c *kernel.Child) { c.KeysIn = keys(36, 32) }, syscall.EINVAL},
		{"integrity with an AEAD", func(c *kernel.Child) { c.Integ, c.KeysIn, c.KeysOut = 12, keys(36, 32), keys(36, 32) }, syscall.EINVAL},
		{"encryption without integrity", func(c *kernel.Child) { c.Encr, c.KeysIn, c.KeysOut = 12, keys(32, 0), keys(32, 0) }, syscall.EINVAL},
		{"integrity key too short", func(c *kernel.Child) { c.Encr, c.Integ, c.KeysIn, c.KeysOut = 12, 12, keys(32, 32), keys(32, 20) }, syscall.EINVAL},
		{"replay window 4097", func(c *kernel.Child) { c.ReplayWindow = 4097 }, syscall.EINVAL},
		{"ESN without a window", func(c *kernel.Child) { c.ESN, c.ReplayWindow = true, 0 }, syscall.EINVAL},
		{"encapsulation to port 0", func(c *kernel.Child) { c.Encap = &kernel.Encap{LocalPort: 4500} }, syscall.EINVAL},
		{"encapsulated AH", func(c *kernel.Child) {
			authentic(c)
			c.Encap = &kernel.Encap{LocalPort: 4500, RemotePort: 4500}
		}, syscall.EINVAL},
		{"AH that encrypts", func(c *kernel.Child) { authentic(c); c.Encr = 20 }, syscall.EINVAL},
		{"AH without integrity", func(c *kernel.Child) { authentic(c); c.Integ = 0 }, syscall.EINVAL},
		{"no local selector", func(c *kernel.Child) { c.TSLocal = nil }, syscall.EINVAL},
		{"no remote selector", func(c *kernel.Child) { c.TSRemote = nil }, syscall.EINVAL},
		{"empty selector", func(c *kernel.Child) { c.TSLocal = []kernel.Selector{{}} }, syscall.EINVAL},
		{"selector backwards", func(c *kernel.Child) { c.TSLocal[0] = selector("10.1.0.9", "10.1.0.1") }, syscall.EINVAL},
		{"ports backwards", func(c *kernel.Child) { c.TSLocal[0].StartPort, c.TSLocal[0].EndPort = 80, 79 }, syscall.EINVAL},
		{"selector of two families", func(c *kernel.Child) { c.TSLocal[0] = selector("10.1.0.0", "2001:db8::") }, syscall.EAFNOSUPPORT},
		{"IPv4 to IPv6", func(c *kernel.Child) { c.TSRemote[0] = selector("2001:db8::", "2001:db8::ff") }, syscall.EAFNOSUPPORT},
		{"IPv6 in IPv4 transport", func(c *kernel.Child) {
			c.Mode = kernel.Transport
			c.TSLocal[0], c.TSRemote[0] = selector("2001:db8::1", "2001:db8::1"), selector("2001:db8::2", "2001:db8::2")
		}, syscall.EAFNOSUPPORT},
	} {
		child := Child(0x1001, 0x2001)
		row.spoil(&child)
		err := d.Install(child)
		var refusal *kernel.Refusal
		if !errors.As(err, &refusal) || !errors.Is(err, row.errno) {
			t.Errorf("%s: got %v, want a refusal with %q", row.name, err, row.errno)
		}
	}
	wantInstalled(t, d) // of all this nothing is left
	must(t, d.Install(Child(0x1001, 0x2001)))
}

// authentic makes a child an AH one: HMAC-SHA2-256-128 (transform 12).
func authentic(c *kernel.Child) {
	c.Protocol, c.Encr, c.KeyLength, c.Integ = kernel.AH, 0, 0, 12
	c.KeysIn, c.KeysOut = keys(0, 32), keys(0, 32)
}

// whatIsInstalled goes through algorithms, modes and families. What a kernel may have been built
// without it may refuse with ENOSYS, AES-GCM-16 and AES-CBC with SHA-2 excepted (RFC 8221, section 5
// and 6: MUST).
func whatIsInstalled(t *testing.T, d kernel.Dataplane) {
	spi := uint32(0x1000)
	install := func(name string, optional bool, change func(*kernel.Child)) {
		t.Helper()
		spi++
		child := Child(spi, spi)
		change(&child)
		err := d.Install(child)
		if optional && errors.Is(err, syscall.ENOSYS) {
			t.Logf("%s: not in this kernel", name)
			return
		}
		if err == nil {
			err = d.Remove(child.Key())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, a := range []struct {
		encr, keyLength, integ  uint16
		encrOctets, integOctets int
		optional                bool
	}{
		{20, 128, 0, 20, 0, false}, {20, 256, 0, 36, 0, false}, // AES-GCM-16
		{12, 128, 12, 16, 32, false}, {12, 256, 14, 32, 64, false}, // AES-CBC, SHA2-256-128, SHA2-512-256
		{12, 192, 13, 24, 48, true}, {12, 128, 2, 16, 20, true}, // SHA2-384-192, SHA1-96
		{12, 128, 5, 16, 16, true}, {12, 128, 8, 16, 16, true}, // AES-XCBC-96, AES-CMAC-96
		{18, 128, 0, 20, 0, true}, {19, 192, 0, 28, 0, true}, // AES-GCM-8, -12
		{14, 128, 0, 19, 0, true}, {16, 256, 0, 35, 0, true}, // AES-CCM-8, -16
		{13, 256, 12, 36, 32, true},                        // AES-CTR
		{28, 0, 0, 36, 0, true}, {28, 256, 0, 36, 0, true}, // ChaCha20-Poly1305
		{3, 0, 2, 24, 20, true}, {11, 0, 12, 0, 32, true}, // 3DES, NULL
		{23, 256, 12, 32, 32, true}, {21, 128, 0, 20, 0, true}, // Camellia-CBC, NULL with AES-GMAC
	} {
		name := fmt.Sprintf("encryption %d of %d bits, integrity %d", a.encr, a.keyLength, a.integ)
		install(name, a.optional, func(c *kernel.Child) {
			c.Encr, c.KeyLength, c.Integ = a.encr, a.keyLength, a.integ
			c.KeysIn, c.KeysOut = keys(a.encrOctets, a.integOctets), keys(a.encrOctets, a.integOctets)
		})
	}
	install("AH", true, authentic)
	install("ESN", false, func(c *kernel.Child) { c.ESN, c.ReplayWindow = true, 64 })
	install("the widest window", false, func(c *kernel.Child) { c.ReplayWindow = 4096 })
	install("no replay protection", false, func(c *kernel.Child) { c.ReplayWindow = 0 })
	install("encapsulation", false, func(c *kernel.Child) { c.Encap = &kernel.Encap{LocalPort: 4500, RemotePort: 40123} })
	install("transport mode", false, func(c *kernel.Child) {
		c.Mode = kernel.Transport
		c.TSLocal[0], c.TSRemote[0] = selector("192.0.2.1", "192.0.2.1"), selector("192.0.2.2", "192.0.2.2")
	})
	install("IPv6", false, func(c *kernel.Child) { c.Local, c.Remote = Local6, Remote6 })
	install("both families", false, func(c *kernel.Child) {
		c.TSLocal = append(c.TSLocal, selector("2001:db8:1::", "2001:db8:1::ff"))
		c.TSRemote = append(c.TSRemote, selector("2001:db8:2::", "2001:db8:2::ff"))
	})
	install("one port of UDP", false, func(c *kernel.Child) {
		c.TSLocal[0].Protocol, c.TSRemote[0].Protocol = 17, 17
		c.TSLocal[0].StartPort, c.TSLocal[0].EndPort = 53, 53
	})
	wantInstalled(t, d)
}
