package xfrm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vishvananda/netlink/nl"
)

// No way of printing what has a key in it shows the key: directly, by pointer, in fields with and without a name that other
// packages see, in slices and maps.
func TestKeysAreNeverPrinted(t *testing.T) {
	secret := []byte("topsecretkeymaterial")
	algorithm := &Algorithm{Name: "cbc(aes)", Key: KeyOf(secret)}
	state := State{Src: v4src, Dst: v4dst, Encryption: algorithm, Integrity: algorithm, AEAD: algorithm}
	message, update := NewState(&state), UpdateState(&state)
	decoded, err := DecodeState(message.body.bytes())
	if err != nil {
		t.Fatal(err)
	}
	type shown struct {
		K Key
		A Algorithm
		S State
		M Message
	}
	type unseen struct {
		k Key
		a Algorithm
		s State
		m Message
	}
	all := []any{algorithm.Key, &algorithm.Key, *algorithm, algorithm, state, &state, decoded, message, &message, update,
		shown{algorithm.Key, *algorithm, state, message}, unseen{algorithm.Key, *algorithm, state, message}, &unseen{algorithm.Key, *algorithm, state, message},
		[]Key{algorithm.Key}, []Algorithm{*algorithm}, map[string]Message{"m": message}, []any{state, message}, Expired{State: state}, &Expired{State: decoded}}

	var out bytes.Buffer
	for _, v := range all {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%b", "%o", "%c", "%U", "% x", "%T", "%p"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(handler).Info("it", "it", v)
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		out.Write(encoded)
	}
	for _, err := range []error{
		decodeRefused(nl.XFRM_MSG_NEWSA, 0, true, append([]byte{0xea, 0xff, 0xff, 0xff}, message.bytes(1)...)), // the request echoed
	} {
		fmt.Fprintf(&out, "%v %+v %#v", err, err, err)
	}
	_, err = DecodeState(append(message.body.bytes(), 0xff))
	fmt.Fprintf(&out, "%v %#v", err, err)

	printed := strings.ToLower(out.String())
	for _, form := range []string{
		string(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("% x", secret), base64.StdEncoding.EncodeToString(secret)[:20],
		strings.Trim(fmt.Sprint(secret), "[]"), strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"), strings.Trim(fmt.Sprintf("%b", secret), "[]"),
		strings.Trim(fmt.Sprintf("%o", secret), "[]"), strings.Trim(fmt.Sprintf("%c", secret), "[]"), strings.Trim(fmt.Sprintf("%q", secret), "[]"),
	} {
		if strings.Contains(printed, strings.ToLower(form)) {
			t.Errorf("printed as %q", form)
		}
	}
	if !strings.Contains(printed, "key(20 octets)") || !strings.Contains(printed, "192.0.2.1") {
		t.Error("nothing was printed at all")
	}
}

// What was sent is overwritten, the caller's key is not.
func TestWipe(t *testing.T) {
	secret := []byte("topsecretkeymaterial")
	message := NewState(&State{Src: v4src, Dst: v4dst, AEAD: &Algorithm{Name: "rfc4106(gcm(aes))", Key: KeyOf(secret), ICVBits: 128}})
	body := message.body.bytes()
	if !bytes.Contains(body, secret) {
		t.Fatal("the request has no key")
	}
	message.wipe()
	if bytes.Contains(body, secret[:4]) || !bytes.Equal(secret, []byte("topsecretkeymaterial")) {
		t.Error("wiped the wrong octets")
	}
}
