package vici

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vici")
	gid := os.Getegid()
	s, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "already answers") {
		t.Errorf("a live socket: %v", err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != 0o770 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// The daemon dies without removing its socket; the next one takes the path.
	s.listener.Close()
	if s, err = Listen(path, strconv.Itoa(gid)); err != nil {
		t.Errorf("a dead socket: %v", err)
	}
	s.listener.Close()
	s.cleanup()
	if _, err := Dial(path); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), "systemctl start ikejd") {
		t.Errorf("dial without a daemon: %v", err)
	}
	if _, err := Listen(path, "no-such-group"); err == nil || !strings.Contains(err.Error(), "groupadd") {
		t.Errorf("unknown group: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "precious" {
		t.Error("the file was touched")
	}
}
