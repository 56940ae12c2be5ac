//go:build interop

package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// daemon is one end. Each reads its configuration below its folder and has its control socket there.
type daemon interface {
	start() error  // returns when the socket answers and the connections are loaded
	stop() error   // SIGTERM: it ends its SAs first; an error when it was not content
	kill()         // SIGKILL; nothing happens when it is not running
	verify() error // what can be checked about its own records, after it ended

	initiate() error                             // the connection with its child; returns when it is up
	terminate() error                            // the IKE SA; returns when it is gone
	list() (sas []ikeSA, text string, err error) // also as the daemon says it
}

// kinds are the daemons that can be an end.
var kinds = []string{"ikejd", "charon", "pluto"}

// stock is the folder of a daemon that strongSwan's swanctl drives.
type stock struct{ dir string }

func (s stock) initiate() error {
	_, err := swanctl(s.dir, "--initiate", "--child", "net", "--timeout", "30")
	return err
}

func (s stock) terminate() error {
	_, err := swanctl(s.dir, "--terminate", "--ike", "lab", "--timeout", "30")
	return err
}

func (s stock) list() ([]ikeSA, string, error) {
	text, err := swanctl(s.dir, "--list-sas")
	return parseSAs(text), text, err
}

// --- charon ------------------------------------------------------------------------------------------

type charon struct {
	stock
	namespace string
	float     bool // under libipsec it pretends to be behind a NAT, so that all goes to port 4500
	keys      bool // in the log, for tshark
	options   []string
}

func (c *charon) start() error {
	args := []string{"start", c.dir, "-n", c.namespace}
	if c.keys {
		args = append(args, "-l", "4")
	}
	if c.float {
		args = append(args, "-k", "libipsec")
	} else {
		args = append(args, "-k", "netlink", "-s", filepath.Join(lab, "fakexfrm.so"))
	}
	for _, o := range append([]string{"retransmit_timeout = 0.5", "retransmit_tries = 5", "delete_rekeyed_delay = 0"}, c.options...) {
		args = append(args, "-o", o)
	}
	_, err := output(script("charon.sh", args...))
	return err
}

func (c *charon) stop() error {
	_, err := output(script("charon.sh", "stop", c.dir))
	return err
}

func (c *charon) kill() {
	if _, err := output(script("charon.sh", "kill", c.dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (*charon) verify() error { return nil } // it keeps no journal

// --- ikejd -------------------------------------------------------------------------------------------

type ikejd struct {
	stock
	namespace string
	cmd       *exec.Cmd
	ended     chan error // gets how cmd ended, once
}

func (d *ikejd) program() string { return filepath.Join(repository, "bin", "ikejd") }
func (d *ikejd) journal() string { return filepath.Join(d.dir, "journal") }

// command is one of ikejd's that reads its journal.
func (d *ikejd) command(args ...string) *exec.Cmd {
	return exec.Command(d.program(), append(args, "--journal", d.journal())...)
}

// start may follow a kill: journal and vault are where they were.
func (d *ikejd) start() error {
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// swanctl wants one, empty or not.
	if err := os.WriteFile(filepath.Join(d.dir, "strongswan.conf"), nil, 0o600); err != nil {
		return err
	}
	d.cmd = exec.Command("ip", "netns", "exec", d.namespace, d.program(), "run", "--config", confFile(d.dir),
		"--journal", d.journal(), "--socket", filepath.Join(d.dir, "vici"), "--dataplane", "none",
		"--vault-key", filepath.Join(d.dir, "vault.key"), "--port", "500", "--nat-port", "4500")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = ours()
	if err := d.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func(cmd *exec.Cmd) { ended <- cmd.Wait() }(d.cmd)
	d.ended = ended
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); time.Sleep(100 * time.Millisecond) {
		select {
		case err := <-ended:
			d.cmd = nil
			return fmt.Errorf("ikejd ended at its start: %w\n%s", err, readFile(log.Name()))
		default:
		}
		if _, err = swanctl(d.dir, "--stats"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("ikejd does not answer: %w\n%s", err, readFile(log.Name()))
}

func (d *ikejd) stop() error {
	if d.cmd == nil {
		return nil
	}
	defer func() { d.cmd = nil }()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-d.ended:
		if err != nil {
			err = fmt.Errorf("ikejd after SIGTERM: %w\n%s", err, readFile(filepath.Join(d.dir, "log")))
		}
		return err
	case <-time.After(45 * time.Second): // the budget is 30 s
		_ = d.cmd.Process.Kill()
		<-d.ended
		return errors.New("ikejd was still running 45 s after SIGTERM")
	}
}

func (d *ikejd) kill() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Kill() // gone already: fine
	<-d.ended
	d.cmd = nil
}

// verify: the chain of records is unbroken, this binary decides again as it did, and no rule of the audit is violated.
func (d *ikejd) verify() error {
	err := d.discreet()
	for _, command := range [][]string{{"journal", "verify"}, {"replay"}, {"audit"}} {
		_, failed := output(d.command(command...))
		err = errors.Join(err, failed)
	}
	return err
}

// discreet looks for the pre-shared key in what the daemon wrote.
func (d *ikejd) discreet() error {
	files, err := filepath.Glob(filepath.Join(d.journal(), "*"))
	for _, file := range append(files, filepath.Join(d.dir, "log")) {
		if strings.Contains(readFile(file), sharedKey) {
			err = errors.Join(err, fmt.Errorf("the pre-shared key is in %s", filepath.Base(file)))
		}
	}
	return err
}
