package creds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func ids(t testing.TB, texts ...string) (all []ID) {
	t.Helper()
	for _, text := range texts {
		all = append(all, parsed(t, text))
	}
	return all
}

// The secrets of strongSwan's scenario net2net-psk and of a road warrior's gateway: both named, then one, then none.
func TestPSK(t *testing.T) {
	s := NewStore()
	for name, owners := range map[string][]string{
		"moon":      {"moon.org"},
		"sun":       {"sun.org"},
		"both":      {"moon.org", "sun.org"},
		"carol":     {"carol@org.example"},
		"all at":    {"*@org.example"},
		"all at hq": {"*@hq.org.example"},
		"address":   {"192.168.0.1"},
		"name":      {"C=CH, CN=venus"},
		"nobody's":  {},
	} {
		s.Put(name, ids(t, owners...), []byte(name))
	}
	for _, c := range []struct{ local, remote, want string }{
		{"moon.org", "sun.org", "both"},
		{"sun.org", "moon.org", "both"},
		{"MOON.org", "Sun.ORG", "both"},
		{"venus.org", "sun.org", "both"}, // one name is enough: strongSwan's rule too
		{"x", "carol@org.example", "carol"},
		{"x", "dave@org.example", "all at"},
		{"x", "dave@hq.org.example", "all at hq"},
		{"moon.org", "dave@org.example", "all at"}, // the peer is the one to be told apart
		{"x", "192.168.0.1", "address"},
		{"192.168.0.1", "x", "address"},
		{"x", "c=CH,cn=VENUS", "name"},
		{"x", "y", "nobody's"},
		{"x", "keyid:moon.org", "nobody's"}, // another type is another identity
		{"x", "org.example", "nobody's"},
	} {
		secret, ok := s.PSK(parsed(t, c.local), parsed(t, c.remote))
		if !ok || string(secret) != c.want {
			t.Errorf("%s, %s: %q, %t, want %q", c.local, c.remote, []byte(secret), ok, c.want)
		}
	}
	s.Remove("nobody's")
	if secret, ok := s.PSK(parsed(t, "x"), parsed(t, "y")); ok {
		t.Errorf("%q for strangers", []byte(secret))
	}
}

// What was replaced, removed or cleared is zeroed; what was given out is a copy and is not.
func TestSecretsAreWiped(t *testing.T) {
	s := NewStore()
	any := ID{}
	given := []byte("first")
	s.Put("a", nil, given)
	clear(given)
	got, _ := s.PSK(any, any)
	if string(got) != "first" {
		t.Errorf("%q: the caller's octets were kept", []byte(got))
	}
	for name, drop := range map[string]func(){
		"replaced": func() { s.Put("a", nil, []byte("second")) },
		"removed":  func() { s.Remove("a") },
		"cleared":  func() { s.Clear() },
	} {
		s.Put("a", nil, []byte("first"))
		kept := s.secrets["a"].secret
		drop()
		if !bytes.Equal(kept, make([]byte, len(kept))) {
			t.Errorf("%s, and still in memory", name)
		}
	}
	s.Clear()
	if s.Remove("a") || len(s.Names()) != 0 || string(got) != "first" {
		t.Errorf("names %v, given out %q", s.Names(), []byte(got))
	}
}

// Nothing prints a secret, in any verb, as text, as JSON, in a log, alone or within.
func TestNothingPrintsASecret(t *testing.T) {
	s := NewStore()
	s.Put("a", nil, []byte("hunter2"))
	secret, _ := s.PSK(ID{}, ID{})
	within := struct {
		Secret Secret
		Store  *Store
		List   []Secret
	}{secret, s, []Secret{secret}}
	var out bytes.Buffer
	for _, value := range []any{secret, &secret, s, within, &within, []Secret{secret}, map[string]Secret{"x": secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%T %[1]v"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		fmt.Fprintln(&out, value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("secret", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("secret", "value", value)
		if err := json.NewEncoder(&out).Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range []string{"hunter2", "68756e74657232", "68 75 6e", "104 117", "104,117", "0x68", "aHVudGVyMg"} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(form)) {
			t.Errorf("%q was printed", form)
		}
	}
	if !strings.Contains(out.String(), "1 secrets") || !strings.Contains(out.String(), hidden) {
		t.Error("nothing was printed at all")
	}
}

func TestParseSecret(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Ar3etTnp", "Ar3etTnp"},
		{"0x0a0B", "\x0a\x0b"},
		{"0xa0b", "\x0a\x0b"},
		{"0x0a:0b", "\x0a\x0b"},
		{"0sAQID", "\x01\x02\x03"},
		{"0sAQI=", "\x01\x02"},
		{"0sAQI", "\x01\x02"},
		{`My "home" is my "castle"!`, `My "home" is my "castle"!`},
	} {
		if got, err := ParseSecret(c.text); err != nil || string(got) != c.want {
			t.Errorf("%q: %x, %v, want %x", c.text, []byte(got), err, c.want)
		}
	}
	for _, text := range []string{"", "0x", "0xhunter2", "0s", "0shunter2!"} {
		if got, err := ParseSecret(text); err == nil || got != nil {
			t.Errorf("%q: %x, want an error", text, []byte(got))
		} else if text != "" && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats it: %v", text, err)
		}
	}
}

// Against the rule in words: of all secrets that fit at all, none names more of the pair than the one chosen.
func TestPSKIsTheBest(t *testing.T) {
	names := []string{"%any", "a.org", "b.org", "*.org", "c@org", "*@org"}
	rapid.Check(t, func(rt *rapid.T) {
		s := NewStore()
		all := map[string][]ID{}
		for i := range rapid.IntRange(0, 6).Draw(rt, "secrets") {
			name := fmt.Sprint("secret ", i)
			all[name] = ids(t, rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(rt, name)...)
			s.Put(name, all[name], []byte(name))
		}
		local := parsed(t, rapid.SampledFrom([]string{"a.org", "b.org", "d.org", "x"}).Draw(rt, "local"))
		remote := parsed(t, rapid.SampledFrom([]string{"a.org", "b.org", "c@org", "y"}).Draw(rt, "remote"))
		names := func(owners []ID, id ID) bool {
			return slices.ContainsFunc(owners, func(o ID) bool { return o.Type != anyType && o.matches(id) > noMatch })
		}
		count := func(owners []ID) int { // -1: does not fit
			n := 0
			for _, id := range []ID{local, remote} {
				if names(owners, id) {
					n++
				}
			}
			isAny := func(o ID) bool { return o.Type == anyType }
			if n == 0 && len(owners) > 0 && !slices.ContainsFunc(owners, isAny) {
				return -1
			}
			return n
		}
		best := -1
		for _, owners := range all {
			best = max(best, count(owners))
		}
		secret, ok := s.PSK(local, remote)
		again, _ := s.PSK(local, remote)
		if ok != (best >= 0) || ok && count(all[string(secret)]) != best || !bytes.Equal(secret, again) {
			rt.Fatalf("%q, then %q, %t; the best names %d", []byte(secret), []byte(again), ok, best)
		}
	})
}

func TestStoreConcurrency(t *testing.T) {
	s := NewStore()
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 200 {
				name := fmt.Sprint(i % 3)
				switch worker {
				case 0:
					s.Put(name, nil, bytes.Repeat([]byte{1}, 32))
				case 1:
					s.Remove(name)
				default:
					if secret, ok := s.PSK(ID{}, ID{}); ok && !bytes.Equal(secret, bytes.Repeat([]byte{1}, 32)) {
						t.Errorf("half wiped: %x", []byte(secret))
					}
				}
			}
		})
	}
	all.Wait()
}
