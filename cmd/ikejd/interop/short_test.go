//go:build interop

package interop

import (
	"os"
	"path/filepath"
	"testing"
)

// shortName is another path of a folder, until the test ends: a socket's path has 107 octets at most, and a checkout may
// lie deep.
func shortName(t *testing.T, dir string) string {
	t.Helper()
	at, err := os.MkdirTemp("", "ik")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(at); err != nil {
			t.Error(err)
		}
	})
	short := filepath.Join(at, "b")
	if err := os.Symlink(dir, short); err != nil {
		t.Fatal(err)
	}
	return short
}
