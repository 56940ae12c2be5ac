//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a shutdown leaves at its peer (PROTOCOL.md, D-23 and W-15), with real sockets and real loss. docs/shutdown.md has
// the table that `make shutdown` prints.

// checkTimes has a run that takes longer than it may fail. Only `make shutdown` does, on a machine that does nothing else.
var checkTimes = os.Getenv("SHUTDOWN_TIMES") != ""

// Two hundred IKE SAs, loss on the way out and on the way back from before SIGTERM until the end: none is left at the peer.
func TestShutdownLoss(t *testing.T) {
	for _, ends := range losing() {
		for _, c := range []struct {
			percent int
			within  time.Duration // where the peer answers repeats
		}{{0, 3 * time.Second}, {5, 5 * time.Second}, {20, 10 * time.Second}, {50, 30 * time.Second}} {
			t.Run(fmt.Sprintf("%s-%s-%d", ends.left, ends.right, c.percent), func(t *testing.T) {
				t.Parallel()
				within := c.within
				if ends.right == "charon" {
					within = 30 * time.Second // it forgets an SA with its first answer: those whose answer is lost take the budget
				}
				const sas = 200
				b := newBed(t, scene{change: crowd(sas), charonOptions: charonForCrowds}, ends, 500)
				b.gather(sas, 2*time.Minute)
				b.lose(b.pair.left, c.percent)
				b.shutDown(fmt.Sprintf("%d SAs, %d %% loss", sas, c.percent), sas, within)
			})
		}
	}
}

// losing are the pairings: the one that shuts down is left. INTEROP_ENDS has another play, to compare.
func losing() []pairing {
	if os.Getenv("INTEROP_ENDS") != "" {
		return pairings
	}
	return []pairing{{"ikejd", "ikejd"}, {"ikejd", "charon"}}
}

// A charon that takes hundreds of set-ups from one address.
var charonForCrowds = []string{"dos_protection = no", "ikesa_table_size = 256", "ikesa_table_segments = 16"}

// Ten thousand IKE SAs without loss; then with a request in flight on half of them whose answer takes a second.
func TestShutdownMany(t *testing.T) {
	sas := 10_000
	if n, err := strconv.Atoi(os.Getenv("SHUTDOWN_SAS")); err == nil {
		sas = n
	}
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy-%t", busy), func(t *testing.T) {
			b := newBed(t, scene{road: wire, change: crowd(sas)}, pairing{"ikejd", "ikejd"}, 500)
			b.gather(sas, 5*time.Minute)
			what := fmt.Sprintf("%d SAs", sas)
			if busy {
				b.hold()
				what += ", half with a request in flight"
			}
			b.shutDown(what, sas, 10*time.Second)
		})
	}
}

// hold has each datagram take half a second, and asks for the end of the busy Child SAs, so that the answers are still on their way.
func (b *bed) hold() {
	b.t.Helper()
	b.wire.stop()
	b.wire = startLossy(b.t, b.pair, b.dir, []string{"-delay", "500ms"})
	b.swanctl(b.left, "--terminate", "--child", "busy", "--timeout", "-1")
}

var reportLine = regexp.MustCompile(`run 1 ended .*`)

// shutDown ends left and counts what right still holds. It checks what both wrote.
func (b *bed) shutDown(what string, sas int, within time.Duration) {
	b.t.Helper()
	began := time.Now()
	err := b.left.stop()
	took := time.Since(began)
	b.left.running = false
	left, _ := b.held(b.right)
	report := reportLine.FindString(readFile(filepath.Join(b.left.dir, "log")))
	if len(report) > 300 {
		report = report[:300] + "…"
	}
	b.t.Logf("shutdown: %s to %s, %s: %d left, %.1f s, load %s; %s", b.ends.left, b.ends.right, what, left, took.Seconds(), loadNow(b.t), report)
	if b.left.kind != "ikejd" {
		return // to compare
	}
	if err != nil {
		b.t.Error(err)
	}
	if left != 0 {
		b.t.Errorf("%d of %d IKE SAs are left at the peer", left, sas)
	}
	if checkTimes && took > within {
		b.t.Errorf("it took %.1f s, not %v", took.Seconds(), within)
	}
	if err := b.right.stop(); err != nil {
		b.t.Error(err)
	}
	for _, e := range b.both() {
		if err := e.verify(); err != nil {
			b.t.Error(err)
		}
	}
	b.tap.stop()
	for _, bad := range changedContent(b.tap.messages(b.t)) {
		b.t.Error(bad)
	}
	b.named()
}

// named: every SA whose end the peer may not know is in the report by name, and `ikejd why shutdown` has it too.
func (b *bed) named() {
	b.t.Helper()
	d := b.left.daemon.(*ikejd)
	why, err := output(d.command("why", "shutdown"))
	if err != nil {
		b.t.Fatal(err)
	}
	ls, err := output(d.command("journal", "ls", "--ended"))
	if err != nil {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(ls) {
		name, _, _ := strings.Cut(line, " ")
		if strings.Contains(line, "unacknowledged") && !regexp.MustCompile(regexp.QuoteMeta(name)+`\b`).MatchString(why) {
			b.t.Errorf("why shutdown does not name %s:\n%s", name, why)
			return
		}
	}
}
