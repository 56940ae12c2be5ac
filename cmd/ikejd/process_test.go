package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// needsRoot leaves a test out that takes root, or more than a second where those are left out.
func needsRoot(t *testing.T, what string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a second; try: go test ./cmd/ikejd")
	}
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal(what + " takes root, which CI is")
		}
		t.Skip(what + " takes root; try: sudo make test")
	}
}

// ikejd is the program with a folder of its own, started again and again by a Go test (those of scripts are in
// script_test.go). Its ports are free ones at the first start, and the same from then on.
type ikejd struct {
	t       testing.TB
	dir     string
	address string
	flags   []string // beside those of files and ports
	under   []string // the program that starts it, with arguments: strace, unshare
	env     []string

	port, natPort string
	cmd           *exec.Cmd
	ended         chan struct{}
	starts        int
}

func newIkejd(t testing.TB, name, address, configuration string) *ikejd {
	t.Helper()
	d := &ikejd{t: t, dir: filepath.Join(t.TempDir(), name), address: address, port: "0", natPort: "0"}
	if err := os.MkdirAll(filepath.Join(d.dir, "disk"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.configure(configuration)
	t.Cleanup(func() { d.signal(syscall.SIGKILL) })
	return d
}

func (d *ikejd) configure(configuration string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "swanctl.conf"), []byte(configuration), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// journal is below a folder of its own, which a test may put on a disk of its own.
func (d *ikejd) journal() string { return filepath.Join(d.dir, "disk", "journal") }
func (d *ikejd) socket() string  { return filepath.Join(d.dir, "s") }

// try starts it, and returns when it is ready or has ended, and how long that took.
func (d *ikejd) try() (ready bool, took time.Duration) {
	d.t.Helper()
	program, err := exec.LookPath("ikejd")
	if err != nil {
		d.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	args := append(append([]string{}, d.under...), program, "run", "--config", filepath.Join(d.dir, "swanctl.conf"), "--journal", d.journal(),
		"--socket", d.socket(), "--vault-key", filepath.Join(d.dir, "vault.key"), "--dataplane", "none",
		"--listen", d.address, "--port", d.port, "--nat-port", d.natPort)
	d.cmd = exec.Command(args[0], append(args[1:], d.flags...)...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(os.Environ(), d.env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.starts++
	ended := make(chan struct{})
	d.ended = ended
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(ended)
	}(d.cmd)
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(2 * time.Millisecond) {
		if m := readyPorts.FindStringSubmatch(d.log()); m != nil {
			d.port, d.natPort = m[2], m[3]
			return true, time.Since(began)
		}
		select {
		case <-ended:
			return false, time.Since(began)
		default:
		}
	}
	d.t.Fatalf("neither ready nor ended:\n%s", d.log())
	return false, 0
}

// start fails the test when it is not ready.
func (d *ikejd) start() time.Duration {
	d.t.Helper()
	ready, took := d.try()
	if !ready {
		d.t.Fatalf("ended at its start with %d:\n%s", d.status(), d.log())
	}
	return took
}

func (d *ikejd) log() string {
	b, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *ikejd) signal(s syscall.Signal) {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	if err := d.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Error(err)
	}
	if s == syscall.SIGKILL {
		<-d.ended
	}
}

// status waits for the end and is its exit status.
func (d *ikejd) status() int {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		d.t.Fatalf("still runs:\n%s", d.log())
	}
	return d.cmd.ProcessState.ExitCode()
}

// stop is an orderly shutdown.
func (d *ikejd) stop() int {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	return d.status()
}

// call is a command with pairs of keys and values.
func (d *ikejd) call(command string, pairs ...string) error {
	c, err := vici.Dial(d.socket())
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	var m vici.Message
	for i := 0; i < len(pairs); i += 2 {
		m.Set(pairs[i], pairs[i+1])
	}
	_, err = c.Call(ctx, command, m)
	return err
}

func (d *ikejd) must(command string, pairs ...string) {
	d.t.Helper()
	if err := d.call(command, pairs...); err != nil {
		d.t.Fatal(err)
	}
}

// established lists the SAs that are up: SPIs, and the connection as the initiator calls it.
func (d *ikejd) established() map[string]string {
	d.t.Helper()
	c, err := vici.Dial(d.socket())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	all := map[string]string{}
	_, err = c.CallStream(ctx, vici.CmdListSAs, vici.EventListSA, vici.Message{}, func(m vici.Message) {
		for name, sa := range m.Sections() {
			if sa.Get(vici.KeyState) == "ESTABLISHED" {
				all[sa.Get("initiator-spi")+sa.Get("responder-spi")] = name
			}
		}
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// ask runs one of the program's own commands over the journal: it must be content.
func (d *ikejd) ask(args ...string) string {
	d.t.Helper()
	out, err := exec.Command("ikejd", args...).CombinedOutput()
	if err != nil {
		d.t.Errorf("ikejd %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// judged has the journal of a daemon that has ended verified, played again and audited.
func (d *ikejd) judged() {
	d.t.Helper()
	d.ask("journal", "verify", "--journal", d.journal())
	d.ask("replay", "--journal", d.journal())
	d.ask("audit", "--journal", d.journal())
}

// soon waits for what the daemons do by themselves.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("never: %s", what)
		}
	}
}
