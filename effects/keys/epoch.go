package keys

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// Epochs (DESIGN.md, "Secrets stay out of the journal"). bbolt does not wipe a freed page, so a vault entry is
// destroyed by destroying the key it is sealed under. That key, the epoch's, lives a few minutes in a small file of
// its own, sealed under the vault's key; then the living entries are sealed again under the next.

// Epochs are the keys that vault entries are sealed under: one to seal, and those before it that may still be needed
// to open. Safe for several goroutines.
type Epochs struct {
	rand   io.Reader
	disk   epochDisk
	rotate sync.Mutex // one rotation at a time

	mu     sync.RWMutex
	keys   map[uint64]cipher.AEAD // by number
	number uint64                 // the newest: what is sealed is sealed under it
	onDisk []uint64               // ascending; a number without a key is a file half destroyed
}

// epochDisk keeps epoch keys. Each call is durable when it returns without an error.
type epochDisk interface {
	write(number uint64, key []byte) error
	destroy(number uint64) error
}

// NewMemoryEpochs are epochs that no file keeps: they end with the process, or with a simulated node's disk.
func NewMemoryEpochs(random io.Reader) *Epochs {
	e := &Epochs{rand: &oneAtATime{reader: random}, disk: nowhere{}, keys: map[uint64]cipher.AEAD{}}
	if err := e.begin(); err != nil {
		panic(err) // its randomness failed, and nobody goes on without
	}
	return e
}

type nowhere struct{}

func (nowhere) write(uint64, []byte) error { return nil }
func (nowhere) destroy(uint64) error       { return nil }

// OpenEpochs reads the epochs kept in a folder, which it makes where there is none, and begins the first. A crash in
// the middle of a rotation leaves two: both open entries, and the next Rotate ends the older.
func OpenEpochs(dir string, vaultKey []byte) (*Epochs, error) {
	files, err := openEpochFiles(dir, newGCM(vaultKey), osFolder{})
	if err != nil {
		return nil, err
	}
	return loadEpochs(files)
}

func loadEpochs(files *epochFiles) (*Epochs, error) {
	e := &Epochs{rand: rand.Reader, disk: files, keys: map[uint64]cipher.AEAD{}}
	numbers, err := files.numbers()
	if err != nil {
		return nil, err
	}
	for i, number := range numbers {
		key, err := files.read(number)
		newest := i == len(numbers)-1
		if err != nil && newest {
			return nil, err
		}
		if err == nil { // an older one that does not open was being destroyed when we died
			e.keys[number] = newGCM(key)
			clear(key)
		}
		e.number = number
	}
	e.onDisk = numbers
	if len(numbers) == 0 {
		err = e.begin()
	}
	return e, err
}

// Rotate ends the present epoch in the order that a crash anywhere leaves every living entry readable: the new key is
// durable; reseal seals the living again (Export does so under the new key from here on) and makes *that* durable; the
// old keys are overwritten and removed. No entry exported before may become durable after reseal returns: it could not
// be opened. Where reseal fails, both epochs stay, and the next Rotate ends them.
func (e *Epochs) Rotate(reseal func() error) error {
	e.rotate.Lock()
	defer e.rotate.Unlock()
	if err := e.begin(); err != nil {
		return fmt.Errorf("a new epoch: %w", err)
	}
	if err := reseal(); err != nil {
		return fmt.Errorf("sealing the living again: %w", err)
	}
	return e.end()
}

// begin draws the next epoch's key.
func (e *Epochs) begin() error {
	var key [32]byte
	defer clear(key[:])
	if _, err := io.ReadFull(e.rand, key[:]); err != nil {
		return err
	}
	number := e.number + 1
	if err := e.disk.write(number, key[:]); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys[number], e.number = newGCM(key[:]), number
	e.onDisk = append(e.onDisk, number)
	return nil
}

// end destroys all epochs but the newest.
func (e *Epochs) end() error {
	for len(e.onDisk) > 1 {
		old := e.onDisk[0]
		if err := e.disk.destroy(old); err != nil {
			return fmt.Errorf("destroying epoch %d: %w", old, err)
		}
		e.mu.Lock()
		delete(e.keys, old)
		e.onDisk = e.onDisk[1:]
		e.mu.Unlock()
	}
	return nil
}

// A sealed entry is epoch number (8), nonce (12), ciphertext and tag; its associated data is reference and epoch.
const sealedHead = 8 + 12

// seal seals an entry under the newest epoch. The nonce is random, which is good for 2^32 entries of one key.
func (e *Epochs) seal(ref uint64, plain []byte) ([]byte, error) {
	e.mu.RLock()
	number, aead := e.number, e.keys[e.number]
	e.mu.RUnlock()
	sealed := make([]byte, sealedHead, sealedHead+len(plain)+aead.Overhead())
	binary.BigEndian.PutUint64(sealed, number)
	if _, err := io.ReadFull(e.rand, sealed[8:]); err != nil {
		return nil, fmt.Errorf("randomness for a vault entry: %w", err)
	}
	return aead.Seal(sealed, sealed[8:], plain, entryAAD(ref, number)), nil
}

func (e *Epochs) open(ref uint64, sealed []byte) ([]byte, error) {
	if len(sealed) < sealedHead {
		return nil, fmt.Errorf("%w: %d octets", ErrVault, len(sealed))
	}
	number := binary.BigEndian.Uint64(sealed)
	e.mu.RLock()
	aead := e.keys[number]
	e.mu.RUnlock()
	if aead == nil {
		return nil, fmt.Errorf("%w: epoch %d is over", ErrVault, number)
	}
	plain, err := aead.Open(nil, sealed[8:sealedHead], sealed[sealedHead:], entryAAD(ref, number))
	if err != nil {
		return nil, fmt.Errorf("%w: reference %d, epoch %d", ErrVault, ref, number)
	}
	return plain, nil
}

func entryAAD(ref, number uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), ref), number)
}

// newGCM is AES-256-GCM under a key of 32 octets.
func newGCM(key []byte) cipher.AEAD {
	aead, err := cipher.NewGCM(newAES(key))
	if err != nil {
		panic(err)
	}
	return aead
}
