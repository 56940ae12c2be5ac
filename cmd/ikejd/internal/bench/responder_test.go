package bench_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/daemon"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/keys"
)

// The responder is a process of its own, so that its CPU and memory can be told from the load's: this test binary again,
// which then is `ikejd run` without its flags.
const (
	responderDir = "IKEJD_BENCH_RESPONDER" // its folder; set in the responder's environment only
	profileEnv   = "IKEJD_BENCH_PROFILE"   // where the responder writes its CPU profile, and a heap profile beside it; empty: none
)

func TestMain(m *testing.M) {
	dir := os.Getenv(responderDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := respond(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// respond runs the daemon until SIGTERM; SIGUSR1 asks for the octets that live after a collection, on standard output.
func respond(dir string) error {
	port, err := strconv.Atoi(os.Getenv("PORT"))
	if err != nil {
		return err
	}
	debug.SetGCPercent(100)
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	go func() {
		for range usr1 {
			runtime.GC()
			runtime.GC()
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			fmt.Println(memory.HeapAlloc)
			if file := os.Getenv(profileEnv); file != "" {
				heap, err := os.Create(file + ".heap")
				if err == nil {
					_ = pprof.WriteHeapProfile(heap)
					heap.Close()
				}
			}
		}
	}()
	if file := os.Getenv(profileEnv); file != "" {
		out, err := os.Create(file)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	_, err = daemon.Run(stop, nil, daemon.Options{Config: filepath.Join(dir, "swanctl.conf"), Journal: filepath.Join(dir, "journal"),
		Socket: filepath.Join(dir, "vici"), Dataplane: "none", Listen: []netip.Addr{loopback}, Port: uint16(port), NATPort: uint16(port + 1),
		VaultKey: keys.VaultKey{Path: filepath.Join(dir, "vault.key")}, KeepSAs: true, Version: "bench"}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	return err
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// The limits are raised: all of the load comes from one address (PROTOCOL.md, K-05 and K-06).
const configuration = `
ikejd {
    limits {
        cookies_from = 1000000
        cookies_from_source = 1000000
        half_open = 1000000
        half_open_source = 1000000
        half_open_life = 10m
        half_open_least_life = 10m
    }
}
connections {
    bench {
        local_addrs = 127.0.0.1
        proposals = aes256gcm16-prfsha256-x25519
        local {
            auth = psk
            id = responder.bench.example
        }
        remote {
            auth = psk
        }
        children {
            net {
                local_ts = 10.1.0.0/16
                remote_ts = 10.2.0.0/16
                esp_proposals = aes256gcm16
            }
        }
    }
}
secrets {
    ike-bench {
        secret = "the load's key"
    }
}
`

const psk = "the load's key"

// responder is that process.
type responder struct {
	cmd     *exec.Cmd
	dir     string
	peer    netip.AddrPort
	natPort uint16
	answers *bufio.Scanner
}

// startResponder starts it; each of keys is a line more of the connection.
func startResponder(tb testing.TB, keys ...string) *responder {
	tb.Helper()
	r := &responder{dir: tb.TempDir()}
	text := strings.Replace(configuration, "    bench {\n", "    bench {\n"+strings.Join(keys, "\n")+"\n", 1)
	if err := os.WriteFile(filepath.Join(r.dir, "swanctl.conf"), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	port := freePort(tb)
	r.peer, r.natPort = netip.AddrPortFrom(loopback, port), port+1
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = append(os.Environ(), responderDir+"="+r.dir, fmt.Sprint("PORT=", port))
	log, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	r.cmd.Stderr = log
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	r.answers = bufio.NewScanner(out)
	if err := r.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.stop(tb) })
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(log.Name())
		if strings.Contains(string(text), "msg=ready") {
			return r
		}
		if time.Now().After(limit) {
			tb.Fatalf("the responder does not start:\n%s", text)
		}
	}
}

// freeze has it be silent until thaw; it returns when no thread of it runs any more.
func (r *responder) freeze(tb testing.TB) {
	tb.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		tb.Error(err)
		return
	}
	threads := fmt.Sprintf("/proc/%d/task/*/stat", r.cmd.Process.Pid)
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		files, _ := filepath.Glob(threads)
		running := slices.ContainsFunc(files, func(file string) bool {
			text, _ := os.ReadFile(file)
			return !strings.Contains(string(text), ") T ")
		})
		if !running {
			return
		}
		if time.Now().After(limit) {
			tb.Error("the responder does not stop")
			return
		}
	}
}

func (r *responder) thaw(tb testing.TB) {
	tb.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		tb.Error(err)
	}
}

// terminate has it delete what keys name.
func (r *responder) terminate(tb testing.TB, key, value string) {
	tb.Helper()
	c, err := vici.Dial(filepath.Join(r.dir, "vici"))
	if err != nil {
		tb.Error(err)
		return
	}
	defer c.Close()
	var m vici.Message
	m.Set(key, value)
	if _, err := c.Call(context.Background(), vici.CmdTerminate, m); err != nil {
		tb.Error(err)
	}
}

// stop ends it, with its SAs kept: what it logs of errors is the test's.
func (r *responder) stop(tb testing.TB) {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	err := r.cmd.Wait()
	r.cmd = nil
	text, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	if err != nil || strings.Contains(string(text), "level=ERROR") {
		tb.Errorf("the responder: %v\n%.2000s", err, text)
	}
}

// live is how many octets are reachable in the responder.
func (r *responder) live(tb testing.TB) int64 {
	tb.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		tb.Fatal(err)
	}
	if !r.answers.Scan() {
		tb.Fatal("the responder does not say how much memory it holds")
	}
	n, err := strconv.ParseInt(r.answers.Text(), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// freePort is one of two ports in a row that nobody has.
func freePort(tb testing.TB) uint16 {
	tb.Helper()
	for range 100 {
		one, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice()})
		if err != nil {
			tb.Fatal(err)
		}
		port := one.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		two, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice(), Port: int(port) + 1})
		one.Close()
		if err == nil {
			two.Close()
			return port
		}
	}
	tb.Fatal("no two free ports in a row")
	return 0
}
