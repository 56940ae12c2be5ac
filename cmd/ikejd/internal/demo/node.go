package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// node is one daemon of the story.
type node struct {
	name      string
	dir       string
	program   string
	ike, nat  netip.AddrPort
	process   *exec.Cmd
	ended     chan error
	logFile   *os.File
	runNumber int
}

func newNode(dir, name, program string) (*node, error) {
	n := &node{name: name, dir: filepath.Join(dir, name), program: program}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if n.ike, n.nat, err = freePorts(); err != nil {
		return nil, err
	}
	return n, nil
}

// freePorts are two that nothing listens on now.
func freePorts() (a, b netip.AddrPort, err error) {
	var free [2]netip.AddrPort
	for i := range free {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return a, b, fmt.Errorf("no free port on loopback: %w", err)
		}
		defer conn.Close()
		free[i] = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	return free[0], free[1], nil
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

// configure writes the configuration of a tunnel to peer.
func (n *node) configure(peer string, at netip.AddrPort) error {
	return os.WriteFile(n.path("swanctl.conf"), fmt.Appendf(nil, `connections {
    gw-%[2]s {
        local_addrs = 127.0.0.1
        remote_addrs = %[3]s
        remote_port = %[4]d
        proposals = aes128gcm16-prfsha256-x25519
        local {
            auth = psk
            id = %[1]s.example
        }
        remote {
            auth = psk
            id = %[2]s.example
        }
        children {
            net {
                esp_proposals = aes128gcm16
            }
        }
    }
}
secrets {
    ike-demo {
        secret = "only for this demo"
    }
}
`, n.name, peer, at.Addr(), at.Port()), 0o600)
}

// start begins a run of the daemon and waits until it answers.
func (n *node) start(ctx context.Context) error {
	var err error
	if n.logFile, err = os.OpenFile(n.path("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	n.process = exec.Command(n.program, "run", "--config", n.path("swanctl.conf"), "--journal", n.path("journal"),
		"--socket", n.path("vici"), "--vault-key", n.path("vault.key"), "--dataplane", "none", "--listen", "127.0.0.1",
		"--port", fmt.Sprint(n.ike.Port()), "--nat-port", fmt.Sprint(n.nat.Port()), "--shutdown-budget", "10s")
	n.process.Stdout, n.process.Stderr = n.logFile, n.logFile
	if err := n.process.Start(); err != nil {
		return err
	}
	n.runNumber++
	n.ended = make(chan error, 1)
	go func(p *exec.Cmd, f *os.File) {
		err := p.Wait()
		f.Close()
		n.ended <- err
	}(n.process, n.logFile)
	return n.until(ctx, "answers on its control socket", func() bool {
		client, err := vici.Dial(n.path("vici"))
		if err != nil {
			return false
		}
		defer client.Close()
		_, err = client.Call(ctx, vici.CmdVersion, vici.Message{})
		return err == nil
	})
}

// end waits for the process and gives its exit status.
func (n *node) end(ctx context.Context) (int, error) {
	select {
	case err := <-n.ended:
		n.process = nil
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode(), nil
		}
		return 0, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// kill ends the process without a word, as a crash does.
func (n *node) kill() {
	if n.process != nil {
		n.process.Process.Kill()
		<-n.ended
		n.process = nil
	}
}

// until waits for something; the daemon's log is the place to look when it does not come.
func (n *node) until(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s never %s; its log:\n%s", n.name, what, n.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (n *node) log() string {
	text, err := os.ReadFile(n.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// call asks the daemon over its control socket.
func (n *node) call(ctx context.Context, command string, pairs ...string) error {
	client, err := vici.Dial(n.path("vici"))
	if err != nil {
		return err
	}
	defer client.Close()
	var m vici.Message
	for i := 0; i < len(pairs); i += 2 {
		m.Set(pairs[i], pairs[i+1])
	}
	_, err = client.Call(ctx, command, m)
	return err
}

// sas are the IKE SAs the daemon lists, a line each.
func (n *node) sas(ctx context.Context) (lines []string, err error) {
	client, err := vici.Dial(n.path("vici"))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	_, err = client.CallStream(ctx, vici.CmdListSAs, vici.EventListSA, vici.Message{}, func(m vici.Message) {
		for name, sa := range m.Sections() {
			children, _ := sa.Sub(vici.KeyChildSAs)
			count := 0
			for range children.Sections() {
				count++
			}
			lines = append(lines, fmt.Sprintf("ike%s %s %s, SPIs %s %s, %d child", sa.Get(vici.KeyUniqueID), name,
				strings.ToLower(sa.Get(vici.KeyState)), short(sa.Get(vici.KeyInitiatorSPI)), short(sa.Get(vici.KeyResponderSPI)), count))
		}
	})
	return lines, err
}

func short(spi string) string { return spi[:min(8, len(spi))] + "…" }

// read runs one of the commands that read a journal, and gives what it printed.
func (n *node) read(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, n.program, append(args, "--journal", filepath.Join(n.name, "journal"))...)
	cmd.Dir = filepath.Dir(n.dir) // so that what it prints names no folder of the day
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ikejd %s: %w: %s%s", strings.Join(args, " "), err, out, complaint.String())
	}
	return strings.TrimRight(string(out), "\n"), nil
}
