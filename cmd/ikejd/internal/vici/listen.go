package vici

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// socketMode lets the owner and the group in, nobody else: whoever may connect may read configuration and close SAs.
const socketMode = 0o770

// Listen makes the socket at path, mode 0770. group (a name or a number) owns it where it is not "". A socket that a
// living daemon listens on is never replaced; one that a dead daemon left behind is.
func Listen(path, group string) (*Server, error) {
	if err := free(path); err != nil {
		return nil, err
	}
	gid, err := lookupGroup(group)
	if err != nil {
		return nil, err
	}
	// Bound under another name, it appears at path only when mode and group are right.
	fresh := path + ".new"
	if len(fresh) >= len(syscall.RawSockaddrUnix{}.Path) {
		return nil, fmt.Errorf("control socket %s: the path is too long for a socket; choose one of at most %d octets, or a relative one",
			path, len(syscall.RawSockaddrUnix{}.Path)-1-len(".new"))
	}
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w; remove it by hand", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w; is its directory there and writable?", path, err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(fresh, socketMode)
	if err == nil && gid >= 0 {
		err = os.Lchown(fresh, -1, gid)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		l.Close()
		os.Remove(fresh)
		return nil, fmt.Errorf("control socket %s: %w; run as root, or give a directory and group of your own", path, err)
	}
	ours, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	s := NewServer(l)
	s.cleanup = func() {
		if now, err := os.Lstat(path); err == nil && os.SameFile(now, ours) {
			os.Remove(path)
		}
	}
	return s, nil
}

// free says whether path can be taken: nothing is there, or a socket that nobody listens on.
func free(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("control socket %s: a file that is no socket is there; give another path with --socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("control socket %s: a daemon already answers there; stop it, or give another path with --socket", path)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return fmt.Errorf("control socket %s: cannot tell whether a daemon answers there: %w; stop it, or remove the socket", path, err)
}

// lookupGroup is the number of a group; -1 for "".
func lookupGroup(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if gid, err := strconv.Atoi(group); err == nil && gid >= 0 {
		return gid, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("control socket: no group %q on this host; make it with: groupadd --system %s", group, group)
	}
	return strconv.Atoi(g.Gid)
}
