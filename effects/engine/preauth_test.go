package engine_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/testshared"
	"github.com/ikejd/ikejd/reducer"
)

// TestPreauth sends single datagrams to a responder without SAs: a few of our own that every clone has, and
// TestPreauthShared all there are.
func TestPreauth(t *testing.T) {
	t.Parallel()
	testPreauth(t, "testdata/preauth.json", 24)
}
func TestPreauthShared(t *testing.T) {
	t.Parallel()
	testPreauth(t, testshared.Path(t, "vectors/negative/preauth.json"), 140)
}

type preauthCase struct {
	ID, Name, Datagram, Expect string
	Port                       uint16
}

func testPreauth(t *testing.T, path string, least int) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []preauthCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < least {
		t.Errorf("%d cases, want %d", len(file.Cases), least)
	}
	n := newNode(t, newWire(t), "b.example", "192.0.2.2:500")
	n.config = preauthConfig(n.name)
	n.limits = engine.Limits{CookiesAll: 1 << 20, RefusalsAll: 1 << 20}
	n.start("secret")
	for i, c := range file.Cases {
		p := newPeer(n, fmt.Sprintf("10.0.%d.%d:%d", i/250, i%250+1, c.Port))
		t.Run(c.ID+"/"+c.Name, func(t *testing.T) {
			for range 2 { // what is repeated gets the same answer
				if complaint := p.preauth(c); complaint != "" {
					t.Errorf("%s: %s", c.Expect, complaint)
				}
			}
		})
		for _, sa := range n.sas() {
			if sa.Phase != reducer.HalfOpen || sa.SetUp.Stage != reducer.InitAnswered {
				t.Fatalf("%s %s: an SA is %v", c.ID, c.Name, sa.Phase)
			}
		}
	}
}

// preauthConfig is what the vectors assume.
func preauthConfig(name string) *record.Config {
	groups := []uint32{uint32(ike.GroupCurve25519), uint32(ike.GroupMODP2048), uint32(ike.GroupECP256)}
	prfs := []uint32{uint32(ike.PRFHMACSHA2_256)}
	return &record.Config{Connections: []*record.Connection{{Name: "gw", LocalId: fqdn(name), Children: []*record.Child{childNet()}, Proposals: []*record.Proposal{
		{Ciphers: []*record.Cipher{{Id: cryptGCM, KeyLength: 256}}, Prfs: prfs, Groups: groups},
		{Ciphers: []*record.Cipher{{Id: uint32(ike.EncrAESCBC), KeyLength: 256}}, Integs: []uint32{uint32(ike.IntegHMACSHA2_256_128)}, Prfs: prfs, Groups: groups}}}}}
}

// preauth sends a case, and says what is wrong with the outcome.
func (p *peer) preauth(c preauthCase) string {
	datagram, err := hex.DecodeString(c.Datagram)
	if err != nil {
		return err.Error()
	}
	before, counted := len(p.n.sas()), total(p.n)
	local := netip.AddrPortFrom(p.n.address.Addr(), c.Port)
	class, message := udp.Classify(datagram, c.Port == 4500)
	if class == udp.IKE {
		p.n.running().engine.Receive([]udp.Datagram{{Local: local, Remote: p.address, Bytes: bytes.Clone(message), NATPort: c.Port == 4500}})
	}
	p.n.settle()
	var answers [][]byte
	for len(p.inbox) > 0 {
		answers = append(answers, p.next())
	}
	made := len(p.n.sas()) - before
	if strings.HasPrefix(c.Expect, "serve") || strings.HasPrefix(c.Expect, "as if there were no cookie") {
		return p.served(answers)
	}
	switch {
	case made != 0:
		return fmt.Sprintf("made %d SAs", made)
	case class == udp.IKE && total(p.n) == counted && !p.n.dropped():
		return "was not counted"
	}
	if notify := preauthNotify(c.Expect); notify != 0 {
		return refused(message, answers, notify, c.Expect)
	}
	if len(answers) != 0 {
		return fmt.Sprintf("answered with %x", answers[0])
	}
	return ""
}

func total(n *node) (all uint64) {
	for _, count := range n.running().engine.Counts() {
		all += count
	}
	return all
}

// dropped reports whether the reducer said why the last datagram that came to it changed nothing.
func (n *node) dropped() bool {
	for _, r := range slices.Backward(records(n.t, n.running().journal)) {
		if r.GetEvent().GetDatagramReceived() != nil {
			return slices.ContainsFunc(r.GetEffects(), func(e *record.Effect) bool { return e.GetDropped() != nil })
		}
	}
	return false
}

func (p *peer) served(answers [][]byte) string {
	if len(answers) != 1 {
		return fmt.Sprintf("got %d answers", len(answers))
	}
	h, err := ike.ParseHeader(answers[0])
	if err != nil || h.NextPayload != ike.PayloadSA || h.SPIr == 0 || !h.Response() {
		return fmt.Sprintf("answered with %+v", h)
	}
	return ""
}

func preauthNotify(expect string) ike.NotifyType {
	for _, n := range []ike.NotifyType{ike.NotifyInvalidMajorVersion, ike.NotifyUnsupportedCriticalPayload, ike.NotifyNoProposalChosen,
		ike.NotifyInvalidKEPayload, ike.NotifyInvalidIKESPI} {
		if strings.HasPrefix(expect, n.String()) {
			return n
		}
	}
	return 0
}

// refused says what is wrong with an unprotected answer (PROTOCOL.md, X: U(n)).
func refused(request []byte, answers [][]byte, notify ike.NotifyType, expect string) string {
	if len(answers) != 1 {
		return fmt.Sprintf("got %d answers", len(answers))
	}
	asked, _ := ike.ParseHeader(request)
	h, _ := ike.ParseHeader(answers[0])
	var payloads ike.Payloads
	if err := ike.ParsePayloads(h.NextPayload, answers[0][ike.HeaderLen:], &payloads); err != nil {
		return err.Error()
	}
	_, data, _ := strings.Cut(expect, "data ")
	n, err := ike.ParseNotify(payloads.All()[0].Body)
	switch {
	case err != nil || n.Type != notify || data != "" && hex.EncodeToString(n.Data) != data:
		return fmt.Sprintf("notified %+v", n)
	case h.SPIi != asked.SPIi || h.SPIr != asked.SPIr || h.MessageID != asked.MessageID || h.Exchange != asked.Exchange || h.Major != 2 ||
		!h.Response() || h.Initiator() == asked.Initiator():
		return fmt.Sprintf("header %+v for %+v", h, asked)
	case len(answers[0]) > len(request):
		return "the answer is larger than the request"
	}
	return ""
}
