package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// node is a daemon on loopback, in this process.
type node struct {
	*Daemon
	t    *testing.T
	dir  string
	stop func() int // shuts it down; the exit code
}

// soonEnough is how long a test waits for what should come at once.
const soonEnough = 20 * time.Second

func start(t *testing.T, configuration string) *node {
	t.Helper()
	return startWith(t, configuration, func(*Options) {})
}

// startWith is start with other options.
func startWith(t *testing.T, configuration string, change func(*Options)) *node {
	t.Helper()
	n := openedWith(t, t.TempDir(), configuration, change)
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		c, err := n.run(ctx, nil)
		if err != nil {
			t.Error(err)
		}
		code <- c
	}()
	n.stop = sync.OnceValue(func() int {
		cancel()
		c := <-code
		if err := n.close(); err != nil {
			t.Error(err)
		}
		return c
	})
	t.Cleanup(func() { n.stop() })
	return n
}

// opened is a node in dir that does not run yet.
func opened(t *testing.T, dir, configuration string) *node {
	t.Helper()
	return openedWith(t, dir, configuration, func(*Options) {})
}

func openedWith(t *testing.T, dir, configuration string, change func(*Options)) *node {
	t.Helper()
	n := &node{t: t, dir: dir}
	n.write(configuration)
	o := Options{Config: filepath.Join(n.dir, "swanctl.conf"), Journal: filepath.Join(n.dir, "journal"), Socket: filepath.Join(n.dir, "vici"),
		Dataplane: "none", Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, VaultKey: keys.VaultKey{Path: filepath.Join(n.dir, "vault.key")}, Version: "test"}
	change(&o)
	n.Daemon = newDaemon(o, slog.New(slog.DiscardHandler))
	if err := n.open(slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) write(configuration string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, "swanctl.conf"), []byte(configuration), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// dial is a client of its control socket.
func (n *node) dial() *vici.Client {
	n.t.Helper()
	c, err := vici.Dial(n.options.Socket)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// call is a command with pairs of keys and values.
func (n *node) call(command string, pairs ...string) (vici.Message, error) {
	n.t.Helper()
	c := n.dial()
	defer c.Close()
	ctx, cancel := context.WithTimeout(n.t.Context(), soonEnough)
	defer cancel()
	return c.Call(ctx, command, message(pairs...))
}

func (n *node) must(command string, pairs ...string) vici.Message {
	n.t.Helper()
	m, err := n.call(command, pairs...)
	if err != nil {
		n.t.Fatal(err)
	}
	return m
}

// stream is a streaming command: its events.
func (n *node) stream(command, event string, pairs ...string) (all []vici.Message) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), soonEnough)
	defer cancel()
	if _, err := n.dial().CallStream(ctx, command, event, message(pairs...), func(m vici.Message) { all = append(all, m) }); err != nil {
		n.t.Fatal(err)
	}
	return all
}

func message(pairs ...string) (m vici.Message) {
	for i := 0; i < len(pairs); i += 2 {
		m.Set(pairs[i], pairs[i+1])
	}
	return m
}

// events are those of the journal once the node has stopped.
func (n *node) events() (all []*record.Event) {
	n.t.Helper()
	for _, r := range n.records() {
		all = append(all, r.GetEvent())
	}
	return all
}

// records is the journal once the node has stopped.
func (n *node) records() (all []*record.Record) {
	n.t.Helper()
	src, err := replay.Open(n.options.Journal)
	if err != nil {
		n.t.Fatal(err)
	}
	defer src.Close()
	for r, err := range replay.Records(src, 0) {
		if err != nil {
			n.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// until waits for what the daemon does by itself.
func (n *node) until(what string, ok func() bool) {
	n.t.Helper()
	for limit := time.Now().Add(soonEnough); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			n.t.Fatalf("never: %s", what)
		}
	}
}

const secrets = `
secrets { 
    ike-all {
        secret = "for tests"
    } 
}
ikejd {
    linger {
        in_shutdown = 100ms
    }
}
`

// answering is a configuration for whoever comes.
const answering = `connections {
    any {
        local {
            auth = psk
            id = east.example
        }
        remote {
            auth = psk
        }
        children {
            net {
                local_ts = 10.2.0.0/24
                remote_ts = 10.1.0.0/24
                esp_proposals = aes128gcm16
            }
        }
    }
}
` + secrets

// asking is a configuration that goes to port.
func asking(port uint16, more string) string {
	return fmt.Sprintf(`connections {
    gw-east {
        remote_addrs = 127.0.0.1
        remote_port = %d
        proposals = aes128gcm16-prfsha256-x25519, aes256-sha256-ecp384
        local {
            auth = psk
            id = west.example
        }
        remote {
            auth = psk
            id = east.example
        }
        children {
            net {
                local_ts = 10.1.0.0/24
                remote_ts = 10.2.0.0/24
                esp_proposals = aes128gcm16
                %s
            }
        }
    }
}
`+secrets, port, more)
}
