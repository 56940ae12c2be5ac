package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/journal"
)

// vaultOf is the vault of a daemon that does not run, as whoever copied its disk has it.
func vaultOf(t *testing.T, folder string) map[uint64][]byte {
	t.Helper()
	j, err := journal.Open(folder, journal.Options{NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	entries, err := j.Vault()
	if err != nil {
		t.Fatal(err)
	}
	sealed := map[uint64][]byte{}
	for ref, entry := range entries {
		sealed[ref] = bytes.Clone(entry)
	}
	return sealed
}

// opens counts the entries that whoever has the disk, and the vault's key with it, can open.
func opens(t *testing.T, d *ikejd, entries map[uint64][]byte) (n int) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(d.dir, "vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	epochs, err := keys.OpenEpochs(filepath.Join(d.journal(), "epochs"), key)
	if err != nil {
		t.Fatal(err)
	}
	ring := keys.New(keys.Options{Epochs: epochs})
	for ref, entry := range entries {
		if err := ring.Import(ref, entry); err == nil {
			n++
		} else if !errors.Is(err, keys.ErrVault) {
			t.Error(err)
		}
	}
	return n
}

// firstSegment is a copy of a journal as it was when its first segment was closed.
func firstSegment(t *testing.T, d *ikejd) (folder string) {
	t.Helper()
	folder = t.TempDir()
	const name = "segment-00000000000000000001.db"
	content, err := os.ReadFile(filepath.Join(d.journal(), name))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// An entry is destroyed with its SA: it is still in a closed segment, and no key on the disk opens it, the vault's own
// included. What lives is kept.
func TestDestroyedSecrets(t *testing.T) {
	needsRoot(t, "addresses of its own")
	const up = 20
	east := newIkejd(t, "east", loopbackOf(os.Getpid(), 50), answering)
	east.start()
	here := loopbackOf(os.Getpid(), 51)
	west := newIkejd(t, "west", here, gateways(up, 0, here, east.address, east.port)+"ikejd {\n    journal {\n        segment_size = 1m\n    }\n}\n")
	west.start()
	initiate := func(n int) { west.must(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n)) }
	for _, n := range numbers(0, up) {
		initiate(n)
	}
	for segments := 1; segments < 2; { // until what holds them is closed
		west.must(vici.CmdTerminate, vici.KeyIKE, "gw-0")
		initiate(0)
		all, err := filepath.Glob(filepath.Join(west.journal(), "segment-*.db"))
		if err != nil {
			t.Fatal(err)
		}
		segments = len(all)
	}
	west.signal(syscall.SIGKILL)
	old := vaultOf(t, firstSegment(t, west))
	if n := opens(t, west, old); len(old) < up || n != len(old) {
		t.Fatalf("%d entries in the closed segment, of which %d open, want all of %d", len(old), n, up)
	}
	west.start()
	const kept = 3
	for _, n := range numbers(0, up-kept) {
		west.must(vici.CmdTerminate, vici.KeyIKE, fmt.Sprint("gw-", n))
	}
	west.signal(syscall.SIGKILL)
	west.flags = []string{"--keep-sas"}
	west.start()
	if status := west.stop(); status != 0 { // the end of a run ends its epoch
		t.Fatalf("ended with %d:\n%s", status, west.log())
	}
	if n := opens(t, west, vaultOf(t, firstSegment(t, west))); n != 0 {
		t.Errorf("%d entries of the closed segment still open", n)
	}
	now := vaultOf(t, west.journal())
	if n := opens(t, west, now); len(now) != kept || n != kept {
		t.Errorf("%d entries live, of which %d open, want %d", len(now), n, kept)
	}
}

// The vault's key of `ikejd run`: another one, or none, is an error that loses nothing; systemd's credential is taken where
// there is no flag.
func TestVaultKeyOfAStart(t *testing.T) {
	needsRoot(t, "addresses of its own")
	west, east := pairOn(t, 60, 2)
	if status := west.stop(); status != 0 {
		t.Fatalf("ended with %d:\n%s", status, west.log())
	}
	file := filepath.Join(west.dir, "vault.key")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func() error
		says  string
	}{
		{"another", func() error { return os.WriteFile(file, make([]byte, 32), 0o600) }, `epochs/epoch-\d+\.key; is the vault key the one it was made with\? Try: ikejd run --vault-key FILE`},
		{"none", func() error { return os.Remove(file) }, `vault key .* is not there, and .*epochs holds keys that are sealed under it; put it back`},
		{"one for all to read", func() error { return errors.Join(os.WriteFile(file, good, 0o600), os.Chmod(file, 0o644)) }, `may be read by others \(mode 0644\); try: chmod 0600`},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if ready, _ := west.try(); ready || west.status() != 2 {
			t.Errorf("%s: it started, or ended with another status than 2", c.name)
		}
		west.says(c.says)
	}
	credentials := filepath.Join(west.dir, "credentials")
	if err := errors.Join(os.Remove(file), os.Mkdir(credentials, 0o700), os.WriteFile(filepath.Join(credentials, "ikejd-vault"), good, 0o400)); err != nil {
		t.Fatal(err)
	}
	west.env = []string{"CREDENTIALS_DIRECTORY=" + credentials}
	west.flags = append(west.flags, "--vault-key", "") // as if the flag were not there
	west.start()
	if !sameSAs(west, east) || len(west.established()) != 2 {
		t.Errorf("the SAs are not all there: %v, %v", west.established(), east.established())
	}
}
