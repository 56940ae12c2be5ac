package journal

import (
	"os"
	"testing"
)

// memDir is a folder of the test's own in memory, where there is such a place: what is tested with it is what the
// files hold, not the disk.
func memDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "journal-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
