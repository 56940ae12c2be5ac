package conf

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecrets(t *testing.T) {
	config, problems := LoadText("t.conf", `secrets {
    ike { secret = plain text }
    ike-2 { id = a
        id-b = b@example.com
        secret = "0xnot hex" }
    ike-3 { secret = 0x00ff:Aa }
    ike-4 { secret = 0sAP8q }
    ike-5 { secret = 0sAP8= }
    ike-6 { secret = 0sAP8
        id-x = "C=CH, CN=x" }
}`)
	if len(problems) != 1 || problems[0].Pos.Line != 5 {
		t.Fatal(lines(problems))
	}
	got := map[string]string{}
	for _, s := range config.Secrets {
		if len(s.IDs) != len(s.Owners) {
			t.Errorf("%s: %d identities, %d in wire form", s.Name, len(s.IDs), len(s.Owners))
		}
		got[s.Name+" "+strings.Join(s.IDs, "|")] = string(s.Key)
	}
	want := map[string]string{"ike ": "plain text", "ike-3 ": "\x00\xff\xaa", "ike-4 ": "\x00\xff\x2a", "ike-5 ": "\x00\xff", "ike-6 C=CH, CN=x": "\x00\xff"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// No error, print or encoding shows a secret, whatever is wrong around it.
func TestSecretsAreNeverShown(t *testing.T) {
	const psk = "hunter2hunter2"
	for _, text := range []string{
		"secrets { ike { secret = 0x" + psk + " } }",
		"secrets { ike { secret = 0s" + psk + "!! } }",
		"secrets { ike { secret = \"" + psk + "\n } }",
		"secrets { ike { secret = \"" + psk + "\" } ",
		"secrets { ike { secret : " + psk + " } }",
		"secrets { ike { secret : " + psk + " { } } }",
		"secrets { ike { secret " + psk + "\n } }",
		"secrets { ike { secret \"" + psk + "\"\n } }",
		"secrets { ike { secret {" + psk + "} } }",
		"secrets { ike { secret { " + psk + " = 1 } } }",
		"secrets { ike { secret =\n" + psk + "\n } }",
		"secrets { ike { secret =\n" + psk + "= \n } }",
		"secrets { ike { secret += " + psk + "\n } }",
		"secrets { ike { secret = { " + psk + "\n } }",
		"secrets { ike { secrt = " + psk + "\n } }",
		"secrets { ike { secret = a}" + psk + "\n } }",
		"secrets { ike { secret = a#" + psk + "\n } }",
		"secrets { ike { \"" + psk + "\" } }",
		"secrets { ikee-1 { secret = " + psk + " } eap { secret = " + psk + " } }",
		"secrets { secret = " + psk + "\n }",
		"secret = " + psk,
		"connections { gw { secret = " + psk + "\n} }",
		"connections { gw { local { secret = " + psk + "\n} } }",
		"ikejd { secret = " + psk + "\n }",
		"secrets { ike { secret = " + psk + " } }",
		"base { secret = " + psk + "\n}\nsecrets { ike : base, nowhere { } }",
	} {
		config, problems := LoadText("t.conf", text)
		shown := lines(problems) + fmt.Sprintf("%v %+v %#v", config, *config, *config)
		for _, s := range config.Secrets {
			shown += fmt.Sprintf("%s %x %q", s.Key, s.Key, s.Key)
		}
		encoded, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		shown += string(encoded)
		if root, _ := ParseText("t.conf", text); root != nil {
			shown += root.String()
		}
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) || strings.Contains(shown, "104 117 110") {
			t.Errorf("%s shows the secret:\n%s", text, shown)
		}
	}
}
