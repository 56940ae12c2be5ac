package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The program as operators run it: scripts in testdata start real daemons on loopback, on ports that are free, and drive
// them over their control sockets.

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"ikejd": main}) }

func TestProgram(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Values[running{}] = &sync.Map{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon": startDaemon, "signal": signalDaemon, "ended": daemonEnded, "expand": expand, "logged": logged, "until": untilScript, "page": page,
		},
	})
}

type running struct{} // the key under which a script's daemons are

// patience is how long a script waits for what should come at once.
const patience = 20 * time.Second

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

var readyPorts = regexp.MustCompile(`msg=ready .* run=(\d+) .* port=(\d+) nat_port=(\d+)`)

// startDaemon is `daemon NAME [FLAG…]`: ikejd with NAME.conf, its files below NAME, its log in NAME.log. It comes back
// when the daemon is ready, with its ports in NAME_PORT and NAME_NAT, its process in NAME_PID; `! daemon` when it ended.
func startDaemon(ts *testscript.TestScript, neg bool, args []string) {
	name := args[0]
	log, err := os.OpenFile(ts.MkAbs(name+".log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	flags := append([]string{"run", "--config", name + ".conf", "--journal", name + "/journal", "--socket", name + ".vici", "--vault-key", name + ".key",
		"--dataplane", "none", "--listen", "127.0.0.1", "--port", "0", "--nat-port", "0"}, args[1:]...)
	program := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, "ikejd")); err == nil {
			program = path
			break
		}
	}
	p := &process{cmd: exec.Command(program, flags...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), log, log
	p.cmd.Env = append(os.Environ(), "TZ=UTC")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ts.Check(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // ended already: fine
		<-p.ended
	})
	daemons(ts).Store(name, p)
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		said := ts.ReadFile(name + ".log")
		if m := readyPorts.FindStringSubmatch(said); m != nil {
			if neg {
				ts.Fatalf("%s started", name)
			}
			prefix := strings.ToUpper(name)
			ts.Setenv(prefix+"_PORT", m[2])
			ts.Setenv(prefix+"_NAT", m[3])
			ts.Setenv(prefix+"_PID", strconv.Itoa(p.cmd.Process.Pid))
			return
		}
		select {
		case <-p.ended:
			if !neg {
				ts.Fatalf("%s ended at its start:\n%s", name, ts.ReadFile(name+".log"))
			}
			return
		default:
		}
	}
	ts.Fatalf("%s is not ready:\n%s", name, ts.ReadFile(name+".log"))
}

func daemons(ts *testscript.TestScript) *sync.Map { return ts.Value(running{}).(*sync.Map) }

func daemonOf(ts *testscript.TestScript, name string) *process {
	p, ok := daemons(ts).Load(name)
	if !ok {
		ts.Fatalf("no daemon %s was started", name)
	}
	return p.(*process)
}

var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT}

// signalDaemon is `signal NAME TERM`.
func signalDaemon(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(daemonOf(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// daemonEnded is `ended NAME STATUS`: it waits for the end, which must have that exit status.
func daemonEnded(ts *testscript.TestScript, _ bool, args []string) {
	p := daemonOf(ts, args[0])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s still runs:\n%s", args[0], ts.ReadFile(args[0]+".log"))
	}
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with status %s, want %s:\n%s", args[0], got, args[1], ts.ReadFile(args[0]+".log"))
	}
}

// expand is `expand FILE…`: $NAMES in them become the script's variables.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// logged is `logged NAME PATTERN [COUNT]`: it waits until so many lines of the daemon's log match (1 unless said), and
// fails on more; `! logged` says that none does now.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	pattern, want := regexp.MustCompile(args[1]), 1
	if len(args) > 2 {
		var err error
		want, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	for limit := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got := 0
		for line := range strings.Lines(ts.ReadFile(args[0] + ".log")) {
			if pattern.MatchString(strings.TrimSuffix(line, "\n")) {
				got++
			}
		}
		switch {
		case neg && got == 0, !neg && got == want:
			return
		case neg, got > want, time.Now().After(limit):
			ts.Fatalf("%s logged %q %d times:\n%s", args[0], args[1], got, ts.ReadFile(args[0]+".log"))
		}
	}
}

// untilScript is `until PATTERN COMMAND…`: it runs the command until its output matches.
func untilScript(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	said := ""
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...) // it may fail before it succeeds
		if said = ts.ReadFile("stdout"); pattern.MatchString(said) {
			return
		}
	}
	ts.Fatalf("%s never said %s; last:\n%s", strings.Join(args[1:], " "), args[0], said)
}
