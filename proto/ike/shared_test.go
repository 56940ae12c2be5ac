package ike

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/ikejd/ikejd/proto/testshared"
)

// Datagrams of others, from the folder beside the checkout.

// refusedForForm are the cases of negative/preauth.json that must fall to form alone: by row, "" for the whole row or
// what the names begin with. All other cases must be readable, whatever the exchange then makes of them.
var refusedForForm = map[string][]string{
	"N-01": {""}, "N-02": {""}, "N-05": {"next payload 0"}, "N-07": {""}, "N-08": {""}, "N-09": {""}, "N-10": {""}, "N-11": {""},
	"N-15": {""}, "N-16": {""}, "N-19": {"key length twice"}, "N-24": {"KE payload of 2 octets"},
	"N-28": {"nonce of 0", "nonce of 15", "nonce of 257"}, "N-22": {"SPI of 8 octets"}, "N-42": {""}, "N-67": {""},
}

func TestPreauthVectors(t *testing.T) {
	text, err := os.ReadFile(testshared.Path(t, "vectors/negative/preauth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID, Name, Datagram, Expect string
			Port                       int
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 140 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	var p Payloads
	for _, c := range file.Cases {
		t.Run(c.ID+" "+c.Name, func(t *testing.T) {
			datagram, err := hex.DecodeString(c.Datagram)
			if err != nil {
				t.Fatal(err)
			}
			msg, isIKE := unmark(datagram, c.Port)
			h, bodies, err := read(msg, &p)
			if err == nil && h.Exchange == IKE_SA_INIT && h.Major == MajorVersion {
				// An IKE_SA_INIT request's SA is an offer without SPIs: the one check here that needs the exchange.
				if i := slices.IndexFunc(bodies, func(b Body) bool { return b.PayloadType() == PayloadSA }); i >= 0 {
					err = bodies[i].(SA).CheckOffer(0)
				}
			}
			refuse := slices.ContainsFunc(refusedForForm[c.ID], func(name string) bool { return strings.HasPrefix(c.Name, name) })
			refused := !isIKE || err != nil
			if refused != refuse {
				t.Fatalf("refused %v (%v), expected: %s", refused, err, c.Expect)
			}
			if c.ID == "N-03" {
				if refuse := h.Major != MajorVersion; refuse == strings.HasPrefix(c.Expect, "serve") {
					t.Fatalf("version read as %d.%d, expected: %s", h.Major, h.Minor, c.Expect)
				}
			}
			if want, named := strings.CutPrefix(c.Expect, "UNSUPPORTED_CRITICAL_PAYLOAD in the clear, data "); named {
				unknown, found := UnknownCritical(&p)
				if !found || hexOctet(uint8(unknown)) != want {
					t.Fatalf("critical: %v %v", unknown, found)
				}
			} else if unknown, found := UnknownCritical(&p); found && !refused {
				t.Fatalf("critical: %v", unknown)
			}
		})
	}
}

// unmark takes the non-ESP marker off a datagram of port 4500 (RFC 3948, section 2.2); false where it is not IKE.
func unmark(datagram []byte, port int) ([]byte, bool) {
	if port != 4500 {
		return datagram, true
	}
	if len(datagram) < 4 || datagram[0]|datagram[1]|datagram[2]|datagram[3] != 0 {
		return nil, false
	}
	return datagram[4:], true
}

// captured is one UDP datagram of a capture.
type captured struct {
	src, dst netip.AddrPort
	port     int // 4500 where either end is
	payload  []byte
}

func readCapture(t *testing.T, path string) []captured {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var source interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	if strings.HasSuffix(path, ".pcapng") {
		source, err = pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	} else {
		source, err = pcapgo.NewReader(f)
	}
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	var all []captured
	for {
		data, _, err := source.ReadPacketData()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Logf("%s: capture ends with: %v", filepath.Base(path), err)
			}
			return all
		}
		packet := gopacket.NewPacket(data, source.LinkType(), gopacket.Default)
		udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
		if !ok {
			continue
		}
		c := captured{port: 500, payload: udp.Payload}
		if udp.SrcPort == 4500 || udp.DstPort == 4500 {
			c.port = 4500
		}
		if net := packet.NetworkLayer(); net != nil {
			end := func(e gopacket.Endpoint, port layers.UDPPort) netip.AddrPort {
				a, _ := netip.AddrFromSlice(e.Raw())
				return netip.AddrPortFrom(a, uint16(port))
			}
			src, dst := net.NetworkFlow().Endpoints()
			c.src, c.dst = end(src, udp.SrcPort), end(dst, udp.DstPort)
		}
		all = append(all, c)
	}
}

// TestCaptures reads every datagram there is: none may panic, IKEv1 is told by its version, and the messages of the
// sessions that were captured whole are all well formed.
func TestCaptures(t *testing.T) {
	total := map[string]int{}
	for _, path := range captureFiles(t, "*") {
		name := filepath.Base(path)
		whole := filepath.Base(filepath.Dir(path)) == "wireshark" || slices.Contains([]string{"ikev2four.pcap", "ikev2pI2.pcap"}, name)
		t.Run(name, func(t *testing.T) {
			var p Payloads
			for i, c := range readCapture(t, path) {
				msg, isIKE := unmark(c.payload, c.port)
				if !isIKE {
					total["not IKE"]++
					continue
				}
				h, _, err := read(msg, &p)
				if len(msg) >= HeaderLen && h.Major != MajorVersion {
					total["other version"]++
					if whole {
						t.Errorf("datagram %d: version %d", i, h.Major)
					}
					continue
				}
				line := DescribeMessage(h, h.NextPayload, msg[min(len(msg), HeaderLen):])
				t.Logf("%d: %v %s: %v", i, h.Exchange, line, err)
				if !printable(line) {
					t.Errorf("datagram %d: not printable: %q", i, line)
				}
				switch {
				case err == nil:
					total["good"]++
					if _, skErr := ParseSK(msg, h); (skErr == nil) != (h.NextPayload == PayloadSK) {
						t.Errorf("datagram %d: as a protected message: %v", i, skErr)
					}
				default:
					total["malformed"]++
					if whole {
						t.Errorf("datagram %d: %v", i, err)
					}
				}
			}
		})
	}
	t.Log(total)
	if total["good"] < 40 || total["other version"] < 10 {
		t.Fatalf("the captures hold more than was read: %v", total)
	}
}

// TestNATDetectionCaptured compares our hash with those strongSwan sent in sessions without a NAT (section 2.23).
func TestNATDetectionCaptured(t *testing.T) {
	checked := 0
	for _, path := range captureFiles(t, "wireshark") {
		for _, c := range readCapture(t, path) {
			var p Payloads
			msg, isIKE := unmark(c.payload, c.port)
			h, bodies, err := read(msg, &p)
			if !isIKE || err != nil || h.Exchange != IKE_SA_INIT {
				continue
			}
			for _, body := range bodies {
				n, ok := body.(Notify)
				if !ok {
					continue
				}
				end := c.src
				switch n.Type {
				case NotifyNATDetectionDestinationIP:
					end = c.dst
				case NotifyNATDetectionSourceIP:
				default:
					continue
				}
				hash := NATDetectionHash(h.SPIi, h.SPIr, end)
				same(t, n.Data, hash[:])
				checked++
			}
		}
	}
	if checked != 32 { // two in each of the two messages of eight sessions
		t.Fatalf("%d hashes compared", checked)
	}
}

// captureFiles is the captures in a folder of vectors/captures.
func captureFiles(t *testing.T, folder string) []string {
	paths, err := filepath.Glob(filepath.Join(testshared.Path(t, "vectors/captures"), folder, "*.pcap*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures in %s: %v", folder, err)
	}
	return paths
}
