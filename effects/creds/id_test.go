package creds

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/testshared"
)

// parsed is an identity from its text, in a test where that must be possible.
func parsed(t testing.TB, s string) ID {
	t.Helper()
	idType, data, err := ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return ID{idType, data}
}

func TestParseID(t *testing.T) {
	hexOf := func(s string) string { b, _ := hex.DecodeString(s); return string(b) }
	for _, c := range []struct {
		text     string
		wantType ike.IDType
		wantData string
	}{
		{"", anyType, ""},
		{" %any\n", anyType, ""},
		{"%any6", anyType, ""},
		{"0.0.0.0", anyType, ""},
		{"::", anyType, ""},
		{"*", anyType, ""},
		{"moon.strongswan.org", ike.IDFQDN, "moon.strongswan.org"},
		{"@moon.strongswan.org", ike.IDFQDN, "moon.strongswan.org"},
		{"fqdn:moon", ike.IDFQDN, "moon"},
		{"DNS:moon", ike.IDFQDN, "moon"},
		{"carol", ike.IDFQDN, "carol"},
		{"*.strongswan.org", ike.IDFQDN, "*.strongswan.org"},
		{"10.1", ike.IDFQDN, "10.1"},
		{"carol@strongswan.org", ike.IDRFC822Addr, "carol@strongswan.org"},
		{"*@strongswan.org", ike.IDRFC822Addr, "*@strongswan.org"},
		{"@@carol", ike.IDRFC822Addr, "carol"},
		{"email:tester", ike.IDRFC822Addr, "tester"},
		{"userfqdn:a@b", ike.IDRFC822Addr, "a@b"},
		{"192.168.0.1", ike.IDIPv4Addr, "\xc0\xa8\x00\x01"},
		{"ipv4:192.168.0.1", ike.IDIPv4Addr, "\xc0\xa8\x00\x01"},
		{"ipv4:#c0a80001", ike.IDIPv4Addr, "\xc0\xa8\x00\x01"},
		{"fec0::1", ike.IDIPv6Addr, hexOf("fec00000000000000000000000000001")},
		{"ipv6:fec0::1", ike.IDIPv6Addr, hexOf("fec00000000000000000000000000001")},
		{"@#0a:0B", ike.IDKeyID, "\x0a\x0b"},
		{"@#b71270432cd763a18020ac988c0e75ae", ike.IDKeyID, hexOf("b71270432cd763a18020ac988c0e75ae")},
		{"keyid:0x0a", ike.IDKeyID, "0x0a"},
		{"keyid:#0a", ike.IDKeyID, "\x0a"},
		{"some:thing", ike.IDKeyID, "some:thing"},
		{"a=b", ike.IDKeyID, "a=b"},
		{"{0x02}:tester", ike.IDFQDN, "tester"},
		{"{11}:#0a0b", ike.IDKeyID, "\x0a\x0b"},
		{"{200}:x", 200, "x"},
		{"C=CH, O=strongSwan", ike.IDDERASN1DN, hexOf("3022310b300906035504061302434831133011060355040a130a7374726f6e675377616e")},
		{"/C=CH/O=a\\/b", ike.IDDERASN1DN, hexOf("301b310b3009060355040613024348310c300a060355040a1303612f62")},
		{"asn1dn:#3000", ike.IDDERASN1DN, "\x30\x00"},
		{"C=CH, E=moon@a.org", ike.IDDERASN1DN, hexOf("3028310b30090603550406130243483119301706092a864886f70d010901160a6d6f6f6e40612e6f7267")},
		{"CN=Zürich", ike.IDDERASN1DN, hexOf("3012") + hexOf("3110300e06035504030c075ac3bc72696368")},
	} {
		idType, data, err := ParseID(c.text)
		if err != nil || idType != uint8(c.wantType) || string(data) != c.wantData {
			t.Errorf("%q: type %d, data %x, %v; want %d, %x", c.text, idType, data, err, c.wantType, c.wantData)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, text := range []string{
		"@", "@@", "@#", "@#0", "@#xy", "fqdn:", "keyid:", "keyid:#", "ipv4:moon", "ipv4:fec0::1", "ipv6:192.0.2.1",
		"ipv4:#0a", "ipv6:fe80::1%eth0", "{0}:x", "{256}:x", "{x}:y", "asn1dn:moon", "asn1dn:", "192.168.1.0/24",
		"fec0::100/120", "192.168.1.0-192.168.1.40", "fec0::1-fec0::4:ffff",
	} {
		idType, data, err := ParseID(text)
		if err == nil || data != nil || idType != 0 {
			t.Errorf("%q: type %d, data %x, want an error", text, idType, data)
		} else if !strings.Contains(err.Error(), "identity \"") {
			t.Errorf("%q: %v does not name it", text, err)
		}
	}
}

// The identities of strongSwan's scenarios all mean something.
func TestParseIDShared(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(testshared.Path(t, "vectors/swanctl"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for line := bufio.NewScanner(bytes.NewReader(text)); line.Scan(); {
			key, value, _ := strings.Cut(line.Text(), "=")
			if key = strings.TrimSpace(key); key != "id" && !strings.HasPrefix(key, "id-") {
				continue
			}
			seen++
			idType, data, err := ParseID(strings.Trim(strings.TrimSpace(value), `"`))
			if err != nil || idType == 0 || len(data) == 0 {
				t.Errorf("%s: %s: type %d, %x, %v", entry.Name(), line.Text(), idType, data, err)
			}
		}
		return err
	})
	if err != nil || seen < 100 {
		t.Errorf("%d identities, %v", seen, err)
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{
		"%any", "{0x02}:tester.example.org", "carol@strongswan.org", "fec0::1-fec0::4:ffff", "C=CH, O=x, CN=y",
		"/C=CH/E=moon@strongswan.org", "ipv4:#c0a80101", "@#b7127043", "{9}:somedata", "a\\", "=,=", "asn1dn:#3000",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		idType, data, err := ParseID(text)
		switch {
		case err != nil:
			return
		case idType == anyType != (len(data) == 0):
			t.Fatalf("%q: type %d with %d octets", text, idType, len(data))
		case !(ID{idType, data}).sure(ID{idType, data}):
			t.Fatalf("%q is not itself", text)
		}
	})
}

// sure is an exact match.
func (owner ID) sure(id ID) bool { return owner.Type == anyType || owner.matches(id) == exact }
