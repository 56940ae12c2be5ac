package testshared

import (
	"os"
	"path/filepath"
	"testing"
)

// Path is the absolute path of name below ../shared, or of ../shared itself for "". Where it is missing the test is
// skipped with a line that says so; under CI (environment variable CI not empty) the test fails instead.
func Path(t testing.TB, name string) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(root), "shared", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared/%s is missing, and CI must have it", name)
		}
		t.Skipf("shared/%s is not beside this checkout: extra tests left out", name)
	}
	return path
}

// repository is the folder of the go.mod at or above the working directory: `go test` runs in the package's folder.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}
