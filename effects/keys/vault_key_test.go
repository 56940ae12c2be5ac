package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVaultKey(t *testing.T) {
	dir := t.TempDir()
	key, epochs := VaultKey{Path: filepath.Join(dir, "vault.key")}, filepath.Join(dir, "journal", "epochs")
	if err := os.Mkdir(filepath.Dir(epochs), 0o700); err != nil {
		t.Fatal(err)
	}
	made := must[[]byte](t)(key.LoadOrMake(epochs))
	if again := must[[]byte](t)(key.LoadOrMake(epochs)); len(made) != 32 || !bytes.Equal(made, again) || bytes.Equal(made, make([]byte, 32)) {
		t.Errorf("made %d octets, the same again: %t", len(made), bytes.Equal(made, again))
	}
	if info := must[os.FileInfo](t)(os.Stat(key.Path)); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 2 {
		t.Errorf("%d files, want the key and the journal", len(left))
	}
	must[*Epochs](t)(OpenEpochs(epochs, made))
	put := func(path string, mode os.FileMode, octets int) func() error {
		return func() error {
			return errors.Join(os.RemoveAll(path), os.WriteFile(path, make([]byte, octets), 0o600), os.Chmod(path, mode))
		}
	}
	inside := filepath.Join(filepath.Dir(epochs), "vault.key")
	for _, c := range []struct {
		name  string
		key   VaultKey
		spoil func() error
		says  string // nothing: it is good
	}{
		{"its owner's alone", key, put(key.Path, 0o400, 32), ""},
		{"read by the group", key, put(key.Path, 0o640, 32), "may be read by others (mode 0640); try: chmod 0600"},
		{"read by all", key, put(key.Path, 0o604, 32), "may be read by others"},
		{"a credential's access list", VaultKey{key.Path, true}, put(key.Path, 0o440, 32), ""},
		{"a credential read by all", VaultKey{key.Path, true}, put(key.Path, 0o444, 32), "may be read by others"},
		{"too short", key, put(key.Path, 0o600, 31), "has 31 octets, want 32; put the right file there"},
		{"a folder", key, func() error { return errors.Join(os.Remove(key.Path), os.Mkdir(key.Path, 0o700)) }, "is no file"},
		{"missing, and epochs are there", key, func() error { return os.Remove(key.Path) }, "is not there, and " + epochs + " holds keys that are sealed under it; put it back"},
		{"a credential that is missing", VaultKey{key.Path, true}, func() error { return nil }, "no such file or directory; try: ikejd run --vault-key"},
		{"in the journal's folder", VaultKey{Path: inside}, put(inside, 0o600, 32), "lies in the journal's folder"},
		{"there by another name", VaultKey{Path: filepath.Join(dir, "link", "vault.key")}, func() error {
			return os.Symlink(filepath.Dir(epochs), filepath.Join(dir, "link"))
		}, "lies in the journal's folder"},
		{"in no folder", VaultKey{Path: filepath.Join(dir, "no", "such", "vault.key")}, func() error { return os.RemoveAll(epochs) }, "cannot be made"},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		got, err := c.key.LoadOrMake(epochs)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d octets, %v; want %q", c.name, len(got), err, c.says)
		}
	}
	if _, err := os.Stat(key.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made in the place of the one that is missing: %v", err)
	}
}

// A key of another owner than root or us is one that somebody may exchange.
func TestVaultKeyOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("giving a file away takes root, which CI is")
		}
		t.Skip("giving a file away takes root; try: sudo make quick")
	}
	dir := t.TempDir()
	key := VaultKey{Path: filepath.Join(dir, "vault.key")}
	if err := errors.Join(os.WriteFile(key.Path, make([]byte, 32), 0o600), os.Chown(key.Path, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	if _, err := key.LoadOrMake(filepath.Join(dir, "journal", "epochs")); err == nil || !strings.Contains(err.Error(), "belongs to user 1234") {
		t.Errorf("of another owner: %v", err)
	}
}
