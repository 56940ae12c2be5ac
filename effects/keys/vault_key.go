package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const vaultKeyLen = 32

// LoadOrMakeVaultKey reads the vault's key, 32 octets, from a file that nobody but its owner may read; where there is
// no such file it makes one. A crash while it does leaves a whole key or none. Losing the file loses the SAs that a
// restart would have taken over, and nothing else.
func LoadOrMakeVaultKey(path string) ([]byte, error) {
	key, err := loadVaultKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	fresh := make([]byte, vaultKeyLen)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	if err := makeVaultKey(path, fresh); err != nil {
		return nil, fmt.Errorf("vault key cannot be made: %w; try: ikejd run --vault-key FILE", err)
	}
	return loadVaultKey(path) // of two daemons that start at once, both have the one that came to stand there
}

func loadVaultKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("vault key %s may be read by others (mode %04o); try: chmod 0600 %s", path, info.Mode().Perm(), path)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	if len(key) != vaultKeyLen {
		return nil, fmt.Errorf("vault key %s has %d octets, want %d; remove it and a new one is made at the start", path, len(key), vaultKeyLen)
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
