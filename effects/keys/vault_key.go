package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const vaultKeyLen = 32

// VaultKey says where the key is that the vault is sealed under, 32 octets: never beside what it seals.
type VaultKey struct {
	Path string
	// Credential: systemd put it there (systemd.exec(5), LoadCredential=), so it is not ours to make, and a service that
	// is not root reads it by an access list, which shows as a right of the group.
	Credential bool
}

// LoadOrMake reads the key from a file that nobody but its owner may read; where there is no such file it makes one,
// unless epochs, the folder of epoch keys, has some already: they were sealed under the key that is missing. A crash
// while it does leaves a whole key or none. Losing the file loses the SAs that a restart would have taken over, and
// nothing else.
func (v VaultKey) LoadOrMake(epochs string) ([]byte, error) {
	if err := v.apart(filepath.Dir(epochs)); err != nil {
		return nil, err
	}
	key, err := v.load()
	if !errors.Is(err, fs.ErrNotExist) || v.Credential {
		return key, err
	}
	if sealed, err := filepath.Glob(filepath.Join(epochs, "epoch-*.key")); err != nil || len(sealed) > 0 {
		return nil, errors.Join(fmt.Errorf("vault key %s is not there, and %s holds keys that are sealed under it; put it back, "+
			"or try: ikejd run --vault-key FILE; where it is lost, remove %[2]s, and with it the IKE SAs of the run before", v.Path, epochs), err)
	}
	fresh := make([]byte, vaultKeyLen)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	if err := makeVaultKey(v.Path, fresh); err != nil {
		return nil, fmt.Errorf("vault key cannot be made: %w; try: ikejd run --vault-key FILE", err)
	}
	return v.load() // of two daemons that start at once, both have the one that came to stand there
}

// apart refuses a key in the folder it seals, by whatever name: who gets that folder would have both. A folder that is
// not there is reported by who reads in it.
func (v VaultKey) apart(journal string) error {
	journal, err := whole(journal)
	if err != nil {
		return err
	}
	at, err := whole(filepath.Dir(v.Path))
	if err == nil && strings.HasPrefix(at+string(filepath.Separator), journal+string(filepath.Separator)) {
		err = fmt.Errorf("vault key %s lies in the journal's folder, and whoever copies that would have both; move it elsewhere, "+
			"and try: ikejd run --vault-key FILE", v.Path)
	}
	return err
}

// whole is path from the root on, without links as far as it is there.
func whole(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("vault key: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path, nil
}

func (v VaultKey) load() ([]byte, error) {
	info, err := os.Stat(v.Path)
	if err != nil {
		return nil, fmt.Errorf("vault key: %w; try: ikejd run --vault-key FILE", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vault key %s is no file; try: ikejd run --vault-key FILE", v.Path)
	}
	others := fs.FileMode(0o077)
	if v.Credential {
		others = 0o007
	}
	if info.Mode().Perm()&others != 0 {
		return nil, fmt.Errorf("vault key %s may be read by others (mode %04o); try: chmod 0600 %s", v.Path, info.Mode().Perm(), v.Path)
	}
	if who, ok := info.Sys().(*syscall.Stat_t); ok && who.Uid != 0 && int(who.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("vault key %s belongs to user %d, who can read and exchange it; try: chown %d %s", v.Path, who.Uid, os.Geteuid(), v.Path)
	}
	key, err := os.ReadFile(v.Path)
	if err != nil {
		return nil, fmt.Errorf("vault key: %w; try: ikejd run --vault-key FILE", err)
	}
	if len(key) != vaultKeyLen {
		return nil, fmt.Errorf("vault key %s has %d octets, want %d; put the right file there, or try: ikejd run --vault-key FILE", v.Path, len(key), vaultKeyLen)
	}
	return key, nil
}

// makeVaultKey writes beside the path and links: a link never replaces a key that is there.
func makeVaultKey(path string, key []byte) error {
	beside, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name())
	defer beside.Close()
	if _, err := beside.Write(key); err != nil {
		return err
	}
	if err := beside.Sync(); err != nil {
		return err
	}
	if err := os.Link(beside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return osFolder{}.sync(filepath.Dir(path))
}
