package xfrm

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/iproute2.txt again, from the ip and strace of this machine")

// What `ip xfrm` sends, byte for byte. The commands stand with their bytes in testdata/iproute2.txt; here is how we say
// the same. Where ip, strace and root are there, the bytes are made again.

const iproute2 = "testdata/iproute2.txt"

var (
	v4src, v4dst = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	any4         = netip.IPv4Unspecified()
	v6src, v6dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

// octets are 0, 1, 2 and so on: n of them. In commands they are 0x000102...
func octets(n int) []byte {
	k := make([]byte, n)
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

func gcm(octetsOfKey int) *Algorithm {
	return &Algorithm{"rfc4106(gcm(aes))", KeyOf(octets(octetsOfKey)), 128}
}

// esp is a state to change. ip writes its seq in the network's order and the kernel takes it in the host's, so a command's
// seq reads the same both ways.
func esp(change func(*State)) *State {
	s := &State{Src: v4src, Dst: v4dst, SPI: 0x1001, Protocol: unix.IPPROTO_ESP, Mode: Tunnel, ReqID: 7, Limits: NoLimits, AEAD: gcm(20)}
	change(s)
	return s
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func net16() Selector { return Selector{Src: prefix("10.1.0.0/16"), Dst: prefix("10.2.0.0/16")} }

func protect(change func(*Policy)) *Policy {
	p := &Policy{Selector: net16(), Direction: PolicyOut, Limits: NoLimits,
		Templates: []Template{{Src: v4src, Dst: v4dst, Protocol: unix.IPPROTO_ESP, Mode: Tunnel, ReqID: 7}}}
	change(p)
	return p
}

const (
	gcm20   = " aead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0f10111213 128"
	ends4   = " src 192.0.2.1 dst 192.0.2.2"
	esp4    = "state add" + ends4 + " proto esp spi 0x1001 mode tunnel reqid 7"
	inside  = " src 10.1.0.0/16 dst 10.2.0.0/16"
	tunnel4 = " tmpl" + ends4 + " proto esp mode tunnel reqid 7"
)

var commands = []struct {
	command string
	message Message
}{
	{esp4 + gcm20, NewState(esp(func(*State) {}))},
	{"state update" + ends4 + " proto esp spi 0x1001 mode tunnel reqid 7" + gcm20, UpdateState(esp(func(*State) {}))},
	{esp4 + " seq 0x01000001 aead rfc4106(gcm(aes)) 0x" + hex.EncodeToString(octets(36)) + " 64",
		NewState(esp(func(s *State) { s.Seq, s.AEAD = 0x01000001, &Algorithm{"rfc4106(gcm(aes))", KeyOf(octets(36)), 64} }))},
	{esp4 + " replay-window 32 enc cbc(aes) 0x" + hex.EncodeToString(octets(32)) + " auth-trunc hmac(sha256) 0x" + hex.EncodeToString(octets(32)) + " 128",
		NewState(esp(func(s *State) {
			s.Replay.Window, s.AEAD = 32, nil
			s.Encryption, s.Integrity = &Algorithm{Name: "cbc(aes)", Key: KeyOf(octets(32))}, &Algorithm{"hmac(sha256)", KeyOf(octets(32)), 128}
		}))},
	{esp4 + " enc cbc(aes) 0x" + hex.EncodeToString(octets(16)) + " auth-trunc hmac(sha512) 0x" + hex.EncodeToString(octets(64)) + " 256",
		NewState(esp(func(s *State) {
			s.AEAD, s.Encryption, s.Integrity = nil, &Algorithm{Name: "cbc(aes)", Key: KeyOf(octets(16))}, &Algorithm{"hmac(sha512)", KeyOf(octets(64)), 256}
		}))},
	{esp4 + " aead rfc7539esp(chacha20,poly1305) 0x" + hex.EncodeToString(octets(36)) + " 128",
		NewState(esp(func(s *State) { s.AEAD = &Algorithm{"rfc7539esp(chacha20,poly1305)", KeyOf(octets(36)), 128} }))},
	{esp4 + " replay-window 64 flag esn" + gcm20, NewState(esp(func(s *State) { s.Replay = Replay{Window: 64, ESN: true} }))},
	{esp4 + " replay-window 4096" + gcm20, NewState(esp(func(s *State) { s.Replay.Window = 4096 }))},
	{esp4 + " replay-window 33 replay-seq 5 replay-seq-hi 1 replay-oseq 9 replay-oseq-hi 2 flag esn" + gcm20,
		NewState(esp(func(s *State) { s.Replay = Replay{Window: 33, ESN: true, Last: 1<<32 | 5, LastSent: 2<<32 | 9} }))},
	{esp4 + gcm20 + " encap espinudp 4500 40123 0.0.0.0", NewState(esp(func(s *State) { s.Encap = &Encap{4500, 40123} }))},
	{esp4 + gcm20 + " offload dev lo dir in", NewState(esp(func(s *State) { s.Offload = &Offload{Interface: 1, Inbound: true} }))},
	{esp4 + gcm20 + " offload dev lo dir out", NewState(esp(func(s *State) { s.Offload = &Offload{Interface: 1} }))},
	{esp4 + gcm20 + " replay-window 128 extra-flag dont-encap-dscp oseq-may-wrap mark 5 mask 7 output-mark 3 mask 0xff if_id 9 tfcpad 64",
		NewState(esp(func(s *State) {
			s.Replay.Window, s.ExtraFlags, s.Mark, s.OutputMark = 128, DontEncapDSCP|OSeqMayWrap, Mark{5, 7}, Mark{3, 0xff}
			s.IfID, s.TFCPad = 9, 64
		}))},
	{esp4 + gcm20 + " flag noecn decap-dscp nopmtudisc af-unspec", NewState(esp(func(s *State) { s.Flags = NoECN | DecapDSCP | NoPMTUDisc | AnyFamily }))},
	{esp4 + gcm20 + " limit time-soft 10 limit time-hard 20 limit time-use-soft 30 limit time-use-hard 40 limit byte-soft 50 limit byte-hard 60" +
		" limit packet-soft 70 limit packet-hard 80", NewState(esp(func(s *State) {
		s.Limits = Limits{Limit{Bytes: 50, Packets: 70, AddedFor: 10, UsedFor: 30}, Limit{Bytes: 60, Packets: 80, AddedFor: 20, UsedFor: 40}}
	}))},
	{"state add" + ends4 + " proto esp spi 0x1001 mode transport reqid 7" + gcm20 + " sel src 192.0.2.1/32 dst 192.0.2.2/32 proto tcp sport 1 dport 443",
		NewState(esp(func(s *State) {
			s.Mode, s.Selector = Transport, Selector{Src: prefix("192.0.2.1/32"), Dst: prefix("192.0.2.2/32"), Protocol: unix.IPPROTO_TCP,
				SrcPort: Ports{1, 0xffff}, DstPort: Ports{443, 0xffff}}
		}))},
	{"state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0xffffffff mode tunnel reqid 7" + gcm20 + " sel src 2001:db8:1::/48 dst ::/0",
		NewState(esp(func(s *State) {
			s.Src, s.Dst, s.SPI, s.Selector = v6src, v6dst, 0xffffffff, Selector{Src: prefix("2001:db8:1::/48"), Dst: prefix("::/0")}
		}))},
	{"state add" + ends4 + " proto ah spi 0x1001 mode tunnel reqid 7 auth-trunc hmac(sha384) 0x" + hex.EncodeToString(octets(48)) + " 192",
		NewState(esp(func(s *State) {
			s.Protocol, s.AEAD, s.Integrity = unix.IPPROTO_AH, nil, &Algorithm{"hmac(sha384)", KeyOf(octets(48)), 192}
		}))},
	{"state delete" + ends4 + " proto esp spi 0x1001", DeleteState(StateID{Src: v4src, Dst: v4dst, SPI: 0x1001, Protocol: unix.IPPROTO_ESP})},
	{"state delete" + ends4 + " proto esp spi 0x1001 mark 5 mask 7",
		DeleteState(StateID{Src: v4src, Dst: v4dst, SPI: 0x1001, Protocol: unix.IPPROTO_ESP, Mark: Mark{5, 7}})},
	{"state get src 2001:db8::1 dst 2001:db8::2 proto esp spi 0x1001",
		GetState(StateID{Src: v6src, Dst: v6dst, SPI: 0x1001, Protocol: unix.IPPROTO_ESP})},
	{"state list", DumpStates(StateFilter{})},
	{"state list proto esp", DumpStates(StateFilter{Protocol: unix.IPPROTO_ESP})},
	{"state list" + ends4, DumpStates(StateFilter{Src: prefix("192.0.2.1/32"), Dst: prefix("192.0.2.2/32")})},
	{"state allocspi" + ends4 + " proto esp mode tunnel reqid 7 seq 0x01000001 min 0x1000 max 0x1fff",
		AllocateSPI(&State{Src: v4src, Dst: v4dst, Protocol: unix.IPPROTO_ESP, Mode: Tunnel, ReqID: 7, Seq: 0x01000001}, 0x1000, 0x1fff)},
	{"policy add" + inside + " dir out" + tunnel4, NewPolicy(protect(func(*Policy) {}))},
	{"policy update" + inside + " dir out" + tunnel4, UpdatePolicy(protect(func(*Policy) {}))},
	{"policy add" + inside + " proto udp sport 53 dir in priority 1000 mark 5 mask 7 if_id 9" + tunnel4, NewPolicy(protect(func(p *Policy) {
		p.Selector.Protocol, p.Selector.SrcPort = unix.IPPROTO_UDP, Ports{53, 0xffff}
		p.Direction, p.Priority, p.Mark, p.IfID = PolicyIn, 1000, Mark{5, 7}, 9
	}))},
	{"policy add" + inside + " dir fwd" + tunnel4 + " level use", NewPolicy(protect(func(p *Policy) {
		p.Direction, p.Templates[0].Optional = PolicyForward, true
	}))},
	{"policy add src 192.0.2.1/32 dst 192.0.2.2/32 dir out tmpl proto ah mode transport reqid 7 tmpl proto esp mode transport reqid 8", NewPolicy(protect(func(p *Policy) {
		p.Selector = Selector{Src: prefix("192.0.2.1/32"), Dst: prefix("192.0.2.2/32")}
		p.Templates = []Template{{Src: any4, Dst: any4, Protocol: unix.IPPROTO_AH, ReqID: 7}, {Src: any4, Dst: any4, Protocol: unix.IPPROTO_ESP, ReqID: 8}}
	}))},
	{"policy add src 2001:db8:1::/48 dst 2001:db8:2::/64 dir out action block", NewPolicy(protect(func(p *Policy) {
		p.Selector, p.Block, p.Templates = Selector{Src: prefix("2001:db8:1::/48"), Dst: prefix("2001:db8:2::/64")}, true, nil
	}))},
	{"policy delete" + inside + " dir out", DeletePolicy(PolicyID{Selector: net16(), Direction: PolicyOut})},
	{"policy delete" + inside + " dir in mark 5 mask 7 if_id 9", DeletePolicy(PolicyID{Selector: net16(), Mark: Mark{5, 7}, IfID: 9})},
	{"policy get index 17 dir out", GetPolicy(PolicyID{Selector: Selector{Dst: prefix("0.0.0.0/0")}, Index: 17, Direction: PolicyOut})},
	{"policy list", DumpPolicies()},
}

func TestAsIproute2(t *testing.T) {
	if *rewrite {
		record(t)
	}
	recorded := recordings(t)
	if len(recorded) != len(commands) {
		t.Errorf("%d recordings of %d commands; try: go test ./effects/kernel/xfrm -rewrite", len(recorded), len(commands))
	}
	for _, c := range commands {
		want, ok := recorded[c.command]
		if !ok {
			t.Errorf("no recording of ip xfrm %s; try: go test ./effects/kernel/xfrm -rewrite", c.command)
		} else if diff := cmp.Diff(hex.Dump(want), hex.Dump(c.message.bytes(0))); diff != "" {
			t.Errorf("ip xfrm %s (-want +got)\n%s", c.command, diff)
		}
	}
}

// The recordings are what this machine's ip sends, too.
func TestIproute2SaysItAgain(t *testing.T) {
	recorded := recordings(t)
	namespace(t)
	for _, c := range commands {
		if diff := cmp.Diff(hex.Dump(recorded[c.command]), hex.Dump(trace(t, c.command))); diff != "" {
			t.Errorf("ip xfrm %s (-recorded +now)\n%s", c.command, diff)
		}
	}
}

// namespace puts the rest of a test into a network namespace of its own, where policies do no harm.
func namespace(t *testing.T) {
	t.Helper()
	for _, program := range []string{"ip", "strace"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here: nothing is recorded again", program)
		}
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no namespace of our own, run as root: %v", err)
	}
}

// A line of strace's dump: the offset, 16 octets, and the same as text.
var hexLine = regexp.MustCompile(`^ \| [0-9a-f]{5}  ([0-9a-f ]{48})  `)

// trace gives the last message of `ip xfrm command` to the kernel, its sequence number 0. That the kernel refuses it
// changes nothing.
func trace(t *testing.T, command string) []byte {
	t.Helper()
	log := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-e", "trace=sendmsg,sendto", "-e", "write=all", "-xx", "-o", log, "ip", "xfrm"}, strings.Fields(command)...)
	output, _ := exec.Command("strace", args...).CombinedOutput()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var message, last []byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		m := hexLine.FindStringSubmatch(lines.Text())
		if m == nil {
			message = nil // before the request, ip asks for what a device's number is
			continue
		}
		octets, err := hex.DecodeString(strings.ReplaceAll(m[1], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if message = append(message, octets...); len(message) >= headerOctets && len(message) == int(binary.NativeEndian.Uint32(message)) {
			last = message
		}
	}
	if last == nil {
		t.Fatalf("ip xfrm %s sent nothing: %s", command, output)
	}
	clear(last[8:12])
	return last
}

// recordings are the bytes of testdata by command.
func recordings(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(iproute2)
	if err != nil {
		t.Fatal(err)
	}
	all, command := map[string][]byte{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if c, ok := strings.CutPrefix(line, "$ ip xfrm "); ok {
			command = c
		} else if line != "" && line[0] != '#' {
			octets, err := hex.DecodeString(line)
			if err != nil {
				t.Fatal(err)
			}
			all[command] = append(all[command], octets...)
		}
	}
	return all
}

// record writes testdata again.
func record(t *testing.T) {
	namespace(t)
	var b strings.Builder
	version, err := exec.Command("ip", "-V").Output()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "# What %s sends on a 64-bit little-endian machine, sequence number 0; made by\n# strace -e trace=sendmsg,sendto -e write=all -xx ip xfrm ...\n",
		strings.TrimSpace(string(version)))
	for _, c := range commands {
		fmt.Fprintf(&b, "\n$ ip xfrm %s\n", c.command)
		for message := trace(t, c.command); len(message) > 0; {
			n := min(len(message), 48)
			fmt.Fprintf(&b, "%x\n", message[:n])
			message = message[n:]
		}
	}
	if err := os.WriteFile(iproute2, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
