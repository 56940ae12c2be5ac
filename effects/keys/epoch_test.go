package keys

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var testVaultKey = bytes.Repeat([]byte{5}, 32)

func TestEpochsLast(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "epochs")
	e := must[*Epochs](t)(OpenEpochs(dir, testVaultKey))
	sealed := must[[]byte](t)(e.seal(7, []byte("secret")))
	again := must[*Epochs](t)(OpenEpochs(dir, testVaultKey))
	if plain, err := again.open(7, sealed); err != nil || string(plain) != "secret" {
		t.Errorf("after a restart: %q, %v", plain, err)
	}
	if _, err := OpenEpochs(dir, bytes.Repeat([]byte{6}, 32)); !errors.Is(err, ErrVault) {
		t.Errorf("under another vault key: got %v, want ErrVault", err)
	}
	files := must[[]os.DirEntry](t)(os.ReadDir(dir))
	if len(files) != 1 {
		t.Errorf("%d files, want one", len(files))
	}
	for _, file := range files {
		info := must[os.FileInfo](t)(file.Info())
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file.Name(), info.Mode())
		}
	}
}

// An entry of an epoch that is over opens no more, with whatever is left on the disk: forward secrecy.
func TestRotateEndsTheOld(t *testing.T) {
	for name, e := range map[string]*Epochs{
		"memory": NewMemoryEpochs(newSeeded(1)),
		"files":  must[*Epochs](t)(OpenEpochs(t.TempDir(), testVaultKey)),
	} {
		old := must[[]byte](t)(e.seal(1, []byte("dead")))
		living := must[[]byte](t)(e.seal(2, []byte("living")))
		err := e.Rotate(func() error {
			plain := must[[]byte](t)(e.open(2, living)) // the old is still readable
			living = must[[]byte](t)(e.seal(2, plain))
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := e.open(1, old); !errors.Is(err, ErrVault) {
			t.Errorf("%s: got %v, want ErrVault", name, err)
		}
		if plain, err := e.open(2, living); err != nil || string(plain) != "living" {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
		// Sealing again fails: both epochs stay, and the next rotation ends them.
		full := errors.New("disk full")
		if err := e.Rotate(func() error { return full }); !errors.Is(err, full) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := e.open(2, living); err != nil {
			t.Errorf("%s: not sealed again, and gone: %v", name, err)
		}
		if err := e.Rotate(func() error { return nil }); err != nil || len(e.keys) != 1 || len(e.onDisk) != 1 {
			t.Errorf("%s: %d keys, %d on disk, %v", name, len(e.keys), len(e.onDisk), err)
		}
	}
}

var errDied = errors.New("died here")

// dying is a folder whose owner dies at step number left, before it, or half way through its writing.
type dying struct {
	osFolder
	left int
	torn bool
}

func (d *dying) step(writing func() error) error {
	if d.left--; d.left > 0 {
		return nil
	}
	if d.left == 0 && d.torn && writing != nil {
		if err := writing(); err != nil {
			return err
		}
	}
	return errDied
}

func (d *dying) create(path string, data []byte) error {
	if err := d.step(func() error { return d.osFolder.create(path, data[:len(data)/2]) }); err != nil {
		return err
	}
	return d.osFolder.create(path, data)
}

func (d *dying) overwrite(path string, data []byte) error {
	if err := d.step(func() error { return d.osFolder.overwrite(path, data[:len(data)/2]) }); err != nil {
		return err
	}
	return d.osFolder.overwrite(path, data)
}

func (d *dying) rename(from, to string) error {
	if err := d.step(nil); err != nil {
		return err
	}
	return d.osFolder.rename(from, to)
}

func (d *dying) remove(path string) error {
	if err := d.step(nil); err != nil {
		return err
	}
	return d.osFolder.remove(path)
}

func (d *dying) sync(dir string) error {
	if err := d.step(nil); err != nil {
		return err
	}
	return d.osFolder.sync(dir)
}

// Death before, or in, each step of a rotation. Whatever the step: the entry that the journal holds then opens at the
// next start, and one more rotation leaves one epoch and one file.
func TestRotateCutAnywhere(t *testing.T) {
	died, finished := 0, false
	for n := 1; !finished; n++ {
		for _, torn := range []bool{false, true} {
			dir := t.TempDir()
			first := must[*Epochs](t)(OpenEpochs(dir, testVaultKey))
			dead := must[[]byte](t)(first.seal(1, []byte("dead")))
			journal := must[[]byte](t)(first.seal(2, []byte("living"))) // what is durable

			death := &dying{left: n, torn: torn}
			files := must[*epochFiles](t)(openEpochFiles(dir, newGCM(testVaultKey), death))
			e := must[*Epochs](t)(loadEpochs(files))
			err := e.Rotate(func() error {
				if err := death.step(nil); err != nil { // before the journal's transaction
					return err
				}
				journal = must[[]byte](t)(e.seal(2, must[[]byte](t)(e.open(2, journal))))
				return death.step(nil) // after it
			})
			if err != nil && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			where := fmt.Sprintf("step %d, torn %t", n, torn)
			if finished = err == nil; !finished {
				died++
			}

			after, err := OpenEpochs(dir, testVaultKey)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			plain, err := after.open(2, journal)
			if err != nil || string(plain) != "living" {
				t.Fatalf("%s: the living entry: %q, %v", where, plain, err)
			}
			err = after.Rotate(func() error {
				journal = must[[]byte](t)(after.seal(2, plain))
				return nil
			})
			if err != nil {
				t.Fatalf("%s: the next rotation: %v", where, err)
			}
			last := must[*Epochs](t)(OpenEpochs(dir, testVaultKey))
			if _, err := last.open(2, journal); err != nil {
				t.Errorf("%s: after the next rotation: %v", where, err)
			}
			if _, err := last.open(1, dead); !errors.Is(err, ErrVault) {
				t.Errorf("%s: the dead entry: got %v, want ErrVault", where, err)
			}
			if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 1 {
				t.Errorf("%s: %d files are left, want one", where, len(left))
			}
		}
	}
	// create, rename, sync; before and after the journal; overwrite, remove, sync; each twice.
	if died != 16 {
		t.Errorf("died %d times, want at each of 8 steps, twice", died)
	}
}

// What is overwritten is: the old file's octets are zeros before its name goes.
func TestDestroyOverwrites(t *testing.T) {
	dir := t.TempDir()
	death := &dying{left: 100}
	files := must[*epochFiles](t)(openEpochFiles(dir, newGCM(testVaultKey), death))
	must[*Epochs](t)(loadEpochs(files))
	size := len(must[[]byte](t)(os.ReadFile(files.path(1))))
	death.left = 2 // overwrites, and dies before it removes
	if err := files.destroy(1); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if got := must[[]byte](t)(os.ReadFile(files.path(1))); size != 12+32+16 || !bytes.Equal(got, make([]byte, size)) {
		t.Errorf("%d octets were, %x are", size, got)
	}
}
