package keys

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Epoch keys on disk: a file each, epoch-N.key, that holds a nonce (12) and the key sealed under the vault's key, its
// associated data the number.

type epochFiles struct {
	dir   string
	vault cipher.AEAD
	folder
}

// folder is what is done to files, each step on its own, so that a test can die between any two of them.
type folder interface {
	create(path string, data []byte) error // written and synced
	rename(from, to string) error
	overwrite(path string, data []byte) error // in place, and synced
	remove(path string) error
	sync(dir string) error
}

func openEpochFiles(dir string, vault cipher.AEAD, f folder) (*epochFiles, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of epoch keys: %w", err)
	}
	return &epochFiles{dir, vault, f}, nil
}

func (f *epochFiles) path(number uint64) string {
	return filepath.Join(f.dir, fmt.Sprintf("epoch-%d.key", number))
}

// numbers lists the epochs there are, oldest first, and removes what a crash left of one that was never begun.
func (f *epochFiles) numbers() ([]uint64, error) {
	names, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("folder of epoch keys: %w", err)
	}
	var numbers []uint64
	for _, name := range names {
		if strings.HasSuffix(name.Name(), ".key.new") {
			if err := f.remove(filepath.Join(f.dir, name.Name())); err != nil {
				return nil, err
			}
			continue
		}
		digits := strings.TrimSuffix(strings.TrimPrefix(name.Name(), "epoch-"), ".key")
		number, err := strconv.ParseUint(digits, 10, 64)
		if err == nil && f.path(number) == filepath.Join(f.dir, name.Name()) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func (f *epochFiles) read(number uint64) ([]byte, error) {
	data, err := os.ReadFile(f.path(number))
	if err != nil {
		return nil, fmt.Errorf("epoch key: %w", err)
	}
	var key []byte
	if len(data) > 12 {
		key, err = f.vault.Open(nil, data[:12], data[12:], epochAAD(number))
	}
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%w: %s; is the vault key the one it was made with? Try: ikejd run --vault-key FILE", ErrVault, f.path(number))
	}
	return key, nil
}

func (f *epochFiles) write(number uint64, key []byte) error {
	nonce := make([]byte, 12)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	path := f.path(number)
	if err := f.create(path+".new", f.vault.Seal(nonce, nonce, key, epochAAD(number))); err != nil {
		return err
	}
	if err := f.rename(path+".new", path); err != nil {
		return err
	}
	return f.sync(f.dir)
}

// destroy overwrites before it removes: what was in the file shall be in no free block. (A disk that writes elsewhere,
// flash or copy on write, may still have it; the vault's key, kept apart, is what is left then.)
func (f *epochFiles) destroy(number uint64) error {
	path := f.path(number)
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return f.sync(f.dir) // removed before a crash, or before an error of the sync
	}
	if err != nil {
		return err
	}
	if err := f.overwrite(path, make([]byte, info.Size())); err != nil {
		return err
	}
	if err := f.remove(path); err != nil {
		return err
	}
	return f.sync(f.dir)
}

func epochAAD(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte("ikejd epoch key "), number)
}

// osFolder does it for real.
type osFolder struct{}

func (osFolder) create(path string, data []byte) error {
	return writeSynced(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, data)
}

func (osFolder) overwrite(path string, data []byte) error {
	return writeSynced(path, os.O_WRONLY, data)
}

func (osFolder) rename(from, to string) error { return os.Rename(from, to) }
func (osFolder) remove(path string) error     { return os.Remove(path) }

func (osFolder) sync(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func writeSynced(path string, how int, data []byte) error {
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
