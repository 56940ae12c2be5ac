//go:build interop

package interop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// tap is a capture at the right end, readable while it grows.
type tap struct {
	file string
	*helper
}

func startTap(t testing.TB, p *pair, dir string) *tap {
	t.Helper()
	file := filepath.Join(dir, "right.pcap")
	h := startHelper(t, p.right, filepath.Join(dir, "tcpdump.log"), "tcpdump", "-Z", "root", "-U", "--immediate-mode", "-n", "-i", "eth0", "-w", file, "udp or esp or icmp or icmp6")
	until(t, 5*time.Second, "tcpdump writes its capture", func() bool { return readFile(file) != "" }, nil)
	return &tap{file, h}
}

// Exchange types (RFC 7296, section 3.1).
const (
	ikeSAInit     = 34
	ikeAuth       = 35
	informational = 37
)

// message is one IKE datagram.
type message struct {
	from, to netip.AddrPort
	bytes    []byte // from the first octet of the IKE header
}

func (m message) spiI() uint64   { return binary.BigEndian.Uint64(m.bytes) }
func (m message) exchange() byte { return m.bytes[18] }
func (m message) response() bool { return m.bytes[19]&0x20 != 0 }
func (m message) id() uint32     { return binary.BigEndian.Uint32(m.bytes[20:]) }

// fragment is the number of an Encrypted Fragment (RFC 7383, section 2.5), 0 for a whole message.
func (m message) fragment() uint16 {
	const encryptedFragment = 53
	if m.bytes[16] != encryptedFragment || len(m.bytes) < 34 {
		return 0
	}
	return binary.BigEndian.Uint16(m.bytes[32:])
}

// messages are what the capture holds so far, in order.
func (c *tap) messages(t testing.TB) (all []message) {
	t.Helper()
	data, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // tcpdump is in the middle of a record
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := asMessage(gopacket.NewPacket(frame, r.LinkType(), gopacket.NoCopy)); ok {
			all = append(all, m)
		}
	}
}

// asMessage leaves out ESP in UDP, which has no marker of four zero octets (RFC 3948, section 2.2), and keepalives.
func asMessage(p gopacket.Packet) (m message, ok bool) {
	udp, ok := p.TransportLayer().(*layers.UDP)
	if !ok {
		return m, false
	}
	src, _ := netip.AddrFromSlice(p.NetworkLayer().NetworkFlow().Src().Raw())
	dst, _ := netip.AddrFromSlice(p.NetworkLayer().NetworkFlow().Dst().Raw())
	m = message{netip.AddrPortFrom(src, uint16(udp.SrcPort)), netip.AddrPortFrom(dst, uint16(udp.DstPort)), udp.Payload}
	if udp.SrcPort == 4500 || udp.DstPort == 4500 {
		if m.bytes, ok = bytes.CutPrefix(udp.Payload, make([]byte, 4)); !ok {
			return m, false
		}
	}
	return m, len(m.bytes) >= 28
}

// exchanges counts the exchanges of the type that the end at from asked for and got an answer to, here.
func exchanges(all []message, kind byte, from netip.Addr) (n int) {
	type key struct {
		spi uint64
		id  uint32
	}
	asked, answered := map[key]bool{}, map[key]bool{}
	for _, m := range all {
		if m.exchange() != kind {
			continue
		}
		k := key{m.spiI(), m.id()}
		switch {
		case !m.response() && m.from.Addr() == from:
			asked[k] = true
		case m.response() && m.to.Addr() == from && asked[k] && !answered[k]:
			answered[k] = true
			n++
		}
	}
	return n
}

// changedContent names the messages that were sent twice with different octets: a retransmission is bit-identical from
// the first octet of the IKE header (RFC 7296, section 2.1). IKE_SA_INIT may come again with a cookie or another group.
func changedContent(all []message) (bad []string) {
	type key struct {
		from     netip.Addr
		spi      uint64
		exchange byte
		response bool
		id       uint32
		fragment uint16
	}
	first := map[key][]byte{}
	for _, m := range all {
		k := key{m.from.Addr(), m.spiI(), m.exchange(), m.response(), m.id(), m.fragment()}
		if k.exchange == ikeSAInit {
			continue
		}
		if b, seen := first[k]; !seen {
			first[k] = m.bytes
		} else if !bytes.Equal(b, m.bytes) {
			bad = append(bad, fmt.Sprintf("%v sent exchange type %d, id %d, response %v again with other octets", k.from, k.exchange, k.id, k.response))
		}
	}
	return bad
}

// malformed is what tshark cannot make sense of.
func (c *tap) malformed() (string, error) {
	cmd := exec.Command("tshark", "-r", c.file, "-Y", "_ws.malformed")
	out, err := cmd.Output() // it warns on standard error that it runs as root
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd.Args, err)
	}
	return string(out), nil
}

// ciphers are tshark's names for what an IKE SA is protected with.
type ciphers struct{ encryption, integrity string }

var integrityLine = regexp.MustCompile(`Integrity Checksum Data: .*\[(correct|incorrect)`)

// decoded has tshark open every protected message with the keys of charon's log, and says how many were found good.
func (c *tap) decoded(charonLog string, with ciphers) (good int, err error) {
	out, err := output(script("decode.sh", "-e", with.encryption, "-a", with.integrity, c.file, charonLog, "-V"))
	if err != nil {
		return 0, err
	}
	for _, m := range integrityLine.FindAllStringSubmatch(out, -1) {
		if m[1] != "correct" {
			return good, errors.New("tshark finds an integrity checksum incorrect")
		}
		good++
	}
	if strings.Contains(out, "Malformed") {
		return good, errors.New("tshark finds a payload malformed inside a protected message")
	}
	return good, nil
}
