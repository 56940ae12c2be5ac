package keys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/testshared"
)

// keyedSession is an entry of a keys.json beside captures.
type keyedSession struct {
	File        string
	Expect      octets `json:"expect_auth_data"`
	SPIi        octets `json:"spi_i"`
	SKei        octets `json:"sk_ei"`
	SKer        octets `json:"sk_er"`
	SKai        octets `json:"sk_ai"`
	SKar        octets `json:"sk_ar"`
	Encr, Integ string
}

// The words keys.json has for transforms.
var (
	encrWords = map[string]uint16{
		"3DES": ike.Encr3DES, "AES-CTR-192": ike.EncrAESCTR, "AES-CBC-256": ike.EncrAESCBC, "AES_CBC_128": ike.EncrAESCBC,
		"AES-CCM-128 with 12 octet ICV": ike.EncrAESCCM12, "AES-CCM-256 with 16 octet ICV": ike.EncrAESCCM16,
		"AES-GCM-256 with 8 octet ICV": ike.EncrAESGCM8, "AES-GCM-256 with 16 octet ICV": ike.EncrAESGCM16,
	}
	integWords = map[string]uint16{
		"NONE": ike.IntegNone, "HMAC_SHA1_96": ike.IntegHMACSHA1_96, "HMAC_SHA1_160": ike.IntegHMACSHA1_160,
		"HMAC_SHA2_256_128": ike.IntegHMACSHA2_256_128, "HMAC_SHA2_512_256": ike.IntegHMACSHA2_512_256,
	}
)

func (s keyedSession) keys(t testing.TB, h ike.Header) Foreign {
	t.Helper()
	encr, known := encrWords[s.Encr]
	integ, known2 := integWords[s.Integ]
	if !known || !known2 {
		t.Fatalf("%s: %q with %q is new to this test", s.File, s.Encr, s.Integ)
	}
	if h.Initiator() {
		return Foreign{encr, integ, s.SKei, s.SKai}
	}
	return Foreign{encr, integ, s.SKer, s.SKar}
}

// Every SK payload of every keyed capture opens and verifies, and the AUTH data is found in each session.
func TestCapturesOpen(t *testing.T) {
	var sessions struct{ Sessions []keyedSession }
	readJSON(t, testshared.Path(t, "vectors/captures/wireshark/keys.json"), &sessions)
	for _, s := range sessions.Sessions {
		opened, found := 0, false
		for _, msg := range ikeMessages(t, testshared.Path(t, "vectors/"+s.File)) {
			h, _, err := parse(msg)
			if err != nil { // IKE_SA_INIT has no SK
				continue
			}
			keys := s.keys(t, h)
			_, plain, err := OpenForeign(keys, msg)
			if err != nil {
				t.Errorf("%s: id %d: %v", s.File, h.MessageID, err)
				continue
			}
			opened++
			found = found || bytes.Contains(plain, s.Expect)
			for _, at := range []int{20, len(msg) - 1, len(msg) - 8} {
				bad := bytes.Clone(msg)
				bad[at] ^= 1
				if _, _, err := OpenForeign(keys, bad); !errors.Is(err, ErrICV) {
					t.Errorf("%s: id %d with octet %d changed: got %v, want ErrICV", s.File, h.MessageID, at, err)
				}
			}
		}
		if opened == 0 || !found {
			t.Errorf("%s: %d messages opened, AUTH data found: %t", s.File, opened, found)
		}
	}
	if len(sessions.Sessions) != 8 {
		t.Errorf("%d sessions, want 8", len(sessions.Sessions))
	}
}

// tcpdump's one keyed message decrypts to an AUTH, but its ICV is of another key than the listed one.
func TestCaptureWithAWrongKey(t *testing.T) {
	var s keyedSession
	readJSON(t, testshared.Path(t, "vectors/captures/tcpdump/keys.json"), &s)
	seen := 0
	for _, msg := range ikeMessages(t, testshared.Path(t, "vectors/captures/tcpdump/"+s.File)) {
		h, frame, err := parse(msg)
		if err != nil || binary.BigEndian.Uint64(s.SPIi) != h.SPIi {
			continue
		}
		seen++
		keys := s.keys(t, h)
		if _, _, err := OpenForeign(keys, msg); !errors.Is(err, ErrICV) {
			t.Errorf("got %v, want ErrICV", err)
		}
		protect := must[opener](t)(keys.opener()).(*foreign)
		at := len(frame.AAD)
		end := len(msg) - protect.icvLen
		right := append(bytes.Clone(msg[:end]), protect.mac(msg[:end])...)
		if _, plain, err := OpenForeign(keys, right); err != nil || len(plain) < 8 {
			t.Errorf("with an ICV of the listed key: %x, %v (body at %d)", plain, err, at)
		}
	}
	if seen != 1 {
		t.Errorf("%d keyed messages, want 1", seen)
	}
}

// CCM and the short GCM against themselves, for lengths around a block; against others by the captures: the vectors of
// RFC 3610 and SP 800-38C have nonces of 13 and 7 octets, which IKE has not.
func TestForeignAEADs(t *testing.T) {
	block := newAES(make([]byte, 16))
	for _, tag := range []int{8, 12, 16} {
		for name, aead := range map[string]interface {
			NonceSize() int
			Seal(dst, nonce, plaintext, aad []byte) []byte
			Open(dst, nonce, sealed, aad []byte) ([]byte, error)
		}{"CCM": ccm{block, tag}, "GCM": shortGCM{block, tag}} {
			nonce := make([]byte, aead.NonceSize())
			for n := range 50 {
				plain, aad := bytes.Repeat([]byte{7}, n), bytes.Repeat([]byte{9}, n)
				sealed := aead.Seal(nil, nonce, plain, aad)
				got, err := aead.Open(nil, nonce, sealed, aad)
				if err != nil || !bytes.Equal(got, plain) || len(sealed) != n+tag {
					t.Fatalf("%s-%d of %d octets: %x, %v", name, tag, n, got, err)
				}
				sealed[len(sealed)-1] ^= 1
				if _, err := aead.Open(nil, nonce, sealed, aad); !errors.Is(err, ErrICV) {
					t.Fatalf("%s-%d: got %v, want ErrICV", name, tag, err)
				}
			}
			if _, err := aead.Open(nil, nonce, make([]byte, tag-1), nil); !errors.Is(err, ErrICV) {
				t.Fatalf("%s-%d: less than a tag: %v", name, tag, err)
			}
		}
	}
}

// A key of the wrong length, or an integrity transform nobody has.
func TestForeignRefusesKeys(t *testing.T) {
	for encr := range foreignCiphers {
		for _, n := range []int{0, 3, 4, 5, 64} {
			_, _, err := OpenForeign(Foreign{encr, ike.IntegHMACSHA1_96, make([]byte, n), nil}, skMessage())
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("ENCR %d with %d octets of key: got %v, want ErrUnsupported", encr, n, err)
			}
		}
	}
	_, _, err := OpenForeign(Foreign{ike.EncrAESCBC, 99, make([]byte, 16), nil}, skMessage())
	if !errors.Is(err, ErrUnsupported) {
		t.Errorf("INTEG 99: got %v, want ErrUnsupported", err)
	}
}

func skMessage() []byte {
	return append(ike.AppendSKFrame(nil, ike.Header{MessageID: 1}, ike.PayloadNotify, 64), make([]byte, 64)...)
}

// ikeMessages are the IKE messages of a capture, without the non-ESP marker of port 4500.
func ikeMessages(t testing.TB, path string) [][]byte {
	t.Helper()
	f := must[*os.File](t)(os.Open(path))
	defer f.Close()
	var source interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	if strings.HasSuffix(path, ".pcapng") {
		source = must[*pcapgo.NgReader](t)(pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions))
	} else {
		source = must[*pcapgo.Reader](t)(pcapgo.NewReader(f))
	}
	var messages [][]byte
	for {
		data, _, err := source.ReadPacketData()
		if err == io.EOF {
			return messages
		}
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(data, source.LinkType(), gopacket.Default)
		if udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP); ok {
			messages = append(messages, bytes.TrimPrefix(udp.Payload, make([]byte, 4)))
		}
	}
}
