package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
)

// Nothing with keys in it prints or logs them, nor does any error name one.
func TestNothingPrintsAKey(t *testing.T) {
	from, l := loneEnd(x25519Suite)
	for i := range l.keys {
		l.keys[i] = 0xa5
	}
	from.of(7).put(7, entry{suite: x25519Suite}, l.keys)
	secret := bytes.Repeat([]byte{0xa5}, 20)
	values := []any{
		from.Keyring, ChildKeys{secret, secret, secret, secret}, &ChildKeys{InitiatorEncr: secret}, AuthInput{PSK: secret},
		struct {
			K *Keyring
			C ChildKeys
			A AuthInput
		}{from.Keyring, ChildKeys{InitiatorEncr: secret}, AuthInput{PSK: secret}},
	}
	var out bytes.Buffer
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("keys", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("keys", "value", value)
		if err := json.NewEncoder(&out).Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range []string{"a5a5", "A5A5", "165 165", "165,165", "0xa5", "paWl", "\xa5\xa5"} {
		if bytes.Contains(out.Bytes(), []byte(form)) {
			t.Errorf("%q was printed", form)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte(hidden)) {
		t.Error("nothing was printed at all")
	}
}
