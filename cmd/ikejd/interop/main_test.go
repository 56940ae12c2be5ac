//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pairing names what plays left, which initiates, and right.
type pairing struct{ left, right string }

// pairings are played by every scenario. INTEROP_ENDS=charon:charon plays another one alone: with charon on both ends a
// failure is the scenario's own.
var pairings = []pairing{{"ikejd", "charon"}, {"charon", "ikejd"}, {"ikejd", "ikejd"}}

var (
	repository string // the folder of go.mod
	lab        string // .lab in it
)

func TestMain(m *testing.M) {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-stopped
		tearDownAll()
		os.Exit(130)
	}()
	os.Exit(m.Run())
}

// prepare finds what `make interop` has built and unpacked.
func prepare() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	repository = filepath.Join(here, "../../..")
	lab = filepath.Join(repository, ".lab")
	if os.Getuid() != 0 {
		return fmt.Errorf("network namespaces need root; try: sudo make interop")
	}
	for _, need := range []string{".lab/lossy", ".lab/fakexfrm.so", ".lab/peers/strongswan/.complete", ".lab/peers/libreswan/.complete"} {
		if _, err := os.Stat(filepath.Join(repository, need)); err != nil {
			return fmt.Errorf("%s is missing; try: make interop", need)
		}
	}
	if ends := os.Getenv("INTEROP_ENDS"); ends != "" {
		left, right, _ := strings.Cut(ends, ":")
		pairings = []pairing{{left, right}}
	}
	for _, p := range pairings {
		for _, end := range []string{p.left, p.right} {
			if !slices.Contains(kinds, end) || end == "pluto" {
				return fmt.Errorf("no end is called %q; try: INTEROP_ENDS=charon:ikejd", end)
			}
		}
	}
	return os.Setenv("PEERS", filepath.Join(lab, "peers"))
}

// --- what must not outlive this program --------------------------------------------------------------

var (
	bedsMu sync.Mutex
	beds   []*bed
)

func remember(b *bed) { bedsMu.Lock(); defer bedsMu.Unlock(); beds = append(beds, b) }

func forget(b *bed) {
	bedsMu.Lock()
	defer bedsMu.Unlock()
	beds = slices.DeleteFunc(beds, func(x *bed) bool { return x == b })
}

func tearDownAll() {
	bedsMu.Lock()
	defer bedsMu.Unlock()
	for _, b := range beds {
		b.tearDown()
	}
}

// --- programs and waiting ----------------------------------------------------------------------------

// script is a command of the lab.
func script(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(repository, "cmd/ikejd/interop/lab", name), args...)
}

// output runs cmd and returns what it printed; an error carries it too.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), err
}

// until asks again and again whether ok, and fails the test when it was not within the limit. last says what was found
// instead; it may be nil.
func until(t testing.TB, limit time.Duration, what string, ok func() bool, last func() string) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			found := ""
			if last != nil {
				found = "; found:\n" + last()
			}
			t.Fatalf("not within %v: %s%s", limit, what, found)
		}
	}
}
