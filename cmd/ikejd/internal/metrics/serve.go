package metrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Listen opens the address that /metrics is read at: the path of a socket, or a loopback address and port. Whoever may
// connect learns how many SAs there are, so no other address is taken.
func Listen(address string) (net.Listener, error) {
	if path, isPath := strings.CutPrefix(address, "unix:"); isPath || strings.Contains(address, "/") {
		return listenUnix(path)
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("metrics at %q: give a loopback address with its port, as 127.0.0.1:9500, or the path of a socket", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w; give another port, or the path of a socket", err)
	}
	return l, nil
}

// socketMode lets the owner and the group in, as the control socket does.
const socketMode = 0o660

func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("metrics socket %s: a daemon already answers there; give another path", path)
		}
		if err := os.Remove(path); err != nil { // a dead daemon left it
			return nil, fmt.Errorf("metrics socket: %w; remove it by hand", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("metrics socket: %w; is its directory there and writable?", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, fmt.Errorf("metrics socket: %w", err)
	}
	return l, nil
}

// Serve answers /metrics until ctx ends.
func (m *Metrics) Serve(ctx context.Context, l net.Listener) error {
	pages := http.NewServeMux()
	pages.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	s := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
