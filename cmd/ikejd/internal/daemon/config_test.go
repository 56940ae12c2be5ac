package daemon

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
)

func connectionOf(t *testing.T, name string, port uint16) conf.Connection {
	t.Helper()
	section, _ := connection(name, "192.0.2.1", port, "").Sub(name)
	c, problems := conf.ReadConnection(conf.FromMessage(name, section))
	if conf.HasErrors(problems) {
		t.Fatal(problems)
	}
	return c
}

// honoured is all that the settings of `ikejd { }` come to: what the reducer is told, the door's limits, and what the
// daemon itself goes by.
func honoured(t *testing.T, s conf.Settings) string {
	t.Helper()
	told, err := proto.MarshalOptions{Deterministic: true}.Marshal(recordConfig(&s, nil, 4500))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x %+v %v %v %v %v", told, limits(&s), s.Shutdown.Budget, s.Journal.Keep, s.Journal.SegmentSize, s.Journal.SegmentLife)
}

// Every setting does something, also when it is set to 0 where that is allowed.
func TestSettingsAreHonoured(t *testing.T) {
	before := honoured(t, conf.DefaultSettings())
	for _, section := range conf.Document() {
		if section.Path != "ikejd" {
			continue
		}
		if len(section.Keys) < 20 {
			t.Errorf("only %d settings", len(section.Keys))
		}
		for _, k := range section.Keys {
			for _, value := range []string{"0", "0s", "1", "3", "1s", "7s", "90s", "2m", "7m", "7h", "2m", "2g", "1500000"} {
				s := conf.DefaultSettings()
				if value == k.Default || s.Set(k.Name, value) != nil {
					continue
				}
				if s == conf.DefaultSettings() {
					continue
				}
				if honoured(t, s) == before {
					t.Errorf("ikejd.%s = %s changes nothing", k.Name, value)
				}
			}
		}
	}
}

// 0 of the configuration is none, not the engine's default.
func TestNoLimitIsNone(t *testing.T) {
	s := conf.DefaultSettings()
	s.Limits.CookiesFrom, s.Limits.Answers, s.Limits.Samples = 0, 0, 0
	if l := limits(&s); l.CookiesAll >= 0 || l.RefusalsAll >= 0 || l.Samples >= 0 || l == (engine.Limits{}) {
		t.Errorf("%+v", l)
	}
}

// The names that strongSwan's tools know, for every algorithm that can be agreed on.
func TestAlgorithmNames(t *testing.T) {
	known := []string{"AES_CBC", "AES_CTR", "AES_GCM_16", "AES_GCM_12", "AES_GCM_8", "AES_CCM_16", "AES_CCM_12", "AES_CCM_8", "CHACHA20_POLY1305",
		"3DES_CBC", "NULL", "CAMELLIA_CBC", "HMAC_SHA1_96", "HMAC_SHA2_256_128", "HMAC_SHA2_384_192", "HMAC_SHA2_512_256", "AES_XCBC_96", "AES_CMAC_96",
		"PRF_HMAC_SHA1", "PRF_HMAC_SHA2_256", "PRF_HMAC_SHA2_384", "PRF_HMAC_SHA2_512", "PRF_AES128_XCBC", "PRF_AES128_CMAC",
		"MODP_2048", "MODP_3072", "MODP_4096", "MODP_6144", "MODP_8192", "ECP_256", "ECP_384", "ECP_521", "CURVE_25519", "CURVE_448",
		"ECP_256_BP", "ECP_384_BP", "ECP_512_BP"}
	names := map[string]bool{}
	for _, name := range known {
		names[name] = true
	}
	seen := 0
	for _, kind := range []ike.TransformType{ike.TransformENCR, ike.TransformPRF, ike.TransformINTEG, ike.TransformKE} {
		for id := range uint16(64) {
			supported := false
			for _, bits := range []uint16{0, 128, 192, 256} {
				supported = supported || keys.Supported(kind, id, bits)
			}
			if !supported || id == 0 { // NONE
				continue
			}
			seen++
			if name := algorithmName(kind, id); !names[name] {
				t.Errorf("%v %d is called %s", kind, id, name)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d algorithms", seen)
	}
	for _, c := range []struct {
		kind ike.TransformType
		id   uint16
		name string
	}{{ike.TransformENCR, ike.EncrAESGCM16, "AES_GCM_16"}, {ike.TransformENCR, ike.EncrChaCha20Poly1305, "CHACHA20_POLY1305"},
		{ike.TransformINTEG, ike.IntegHMACSHA2_256_128, "HMAC_SHA2_256_128"}, {ike.TransformPRF, ike.PRFHMACSHA2_256, "PRF_HMAC_SHA2_256"},
		{ike.TransformKE, uint16(ike.GroupCurve25519), "CURVE_25519"}, {ike.TransformKE, uint16(ike.GroupECP384), "ECP_384"},
		{ike.TransformKE, uint16(ike.GroupMODP3072), "MODP_3072"}} {
		if got := algorithmName(c.kind, c.id); got != c.name {
			t.Errorf("%s, want %s", got, c.name)
		}
	}
}

// No secret is in what the reducer is told, nor in what is listed.
func TestNoSecrets(t *testing.T) {
	config, problems := conf.LoadText("t.conf", asking(500, ""))
	if conf.HasErrors(problems) {
		t.Fatal(problems)
	}
	told, err := proto.Marshal(recordConfig(&config.Settings, config.Connections, 4500))
	if err != nil {
		t.Fatal(err)
	}
	var m vici.Message
	describeConnection(&m, &config.Connections[0])
	listed, err := m.Append(nil)
	if err != nil || len(config.Secrets) != 1 {
		t.Fatal(err, config.Secrets)
	}
	if bytes.Contains(told, config.Secrets[0].Key) || bytes.Contains(listed, config.Secrets[0].Key) {
		t.Error("the secret is in it")
	}
}
