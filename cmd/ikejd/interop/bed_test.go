//go:build interop

package interop

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// scene is what a scenario asks for beside two ends that agree with each other.
type scene struct {
	road  road
	v6    bool
	lossy []string // of a wire: what happens on it
	// change makes the two configurations differ from sides; it may be nil.
	change func(left, right *side)
	// ends are the pairings that play it, if not those that play everything.
	ends []pairing
	// only leaves out the pairings for which it is false; it may be nil.
	only func(ends pairing) bool
	// charonOptions are lines of strongswan.conf for either end.
	charonOptions []string
	keys          bool // charon writes keys to its log
}

// bed is a scene with two ends on it.
type bed struct {
	t           *testing.T
	ends        pairing
	dir         string
	pair        *pair
	conf        [2]side // left, right
	left, right *end
	tap         *tap
	wire        *helper
	explained   []explanation // to be checked when both have ended
}

// end is a daemon and the folder it lives in.
type end struct {
	daemon
	kind, dir string
	addr      netip.Addr // as the capture sees it
	running   bool
}

func (e *end) start() error {
	err := e.daemon.start()
	e.running = err == nil
	return err
}

func (e *end) stop() error { e.running = false; return e.daemon.stop() }
func (e *end) kill()       { e.running = false; e.daemon.kill() }

// ways are how IKE goes: all on port 500, floating to 4500 because of a NAT, real or one that an end pretends to be behind
// (charon under libipsec, pluto and ikejd by their configuration), or over IPv6, where there is no NAT.
var ways = []struct {
	name string
	port int
	v6   bool
}{{"500", 500, false}, {"4500", 4500, false}, {"ipv6", 500, true}}

// play runs the scenario for every pairing and every way the road allows. Two ikejd play all of it over IPv6 too; what a
// peer does over IPv6 has a test of its own.
func play(t *testing.T, s scene, scenario func(b *bed)) {
	if s.ends == nil {
		s.ends = pairings
	}
	for _, ends := range s.ends {
		if s.only != nil && !s.only(ends) {
			continue
		}
		for _, way := range ways {
			switch {
			case way.port == 4500 && s.v6,
				way.v6 && (s.road == nat || s.v6 || ends.left != "ikejd" || ends.right != "ikejd"):
				continue
			}
			t.Run(fmt.Sprintf("%s-%s-%s", ends.left, ends.right, way.name), func(t *testing.T) {
				t.Parallel()
				here := s
				here.v6 = s.v6 || way.v6
				if way.port == 4500 && s.road == plain && ends.left == "ikejd" && ends.right == "ikejd" {
					here.road = nat
				}
				b := newBed(t, here, ends, way.port)
				scenario(b)
				b.settle()
			})
		}
	}
}

func newBed(t *testing.T, s scene, ends pairing, port int) *bed {
	t.Helper()
	b := &bed{t: t, ends: ends, dir: filepath.Join(lab, "run", strings.ReplaceAll(t.Name(), "/", "-"))}
	for _, side := range []string{"left", "right"} {
		dir := filepath.Join(b.dir, side) // of a run that was itself killed
		(&charon{stock: stock{dir}}).kill()
		(&pluto{dir: dir}).kill()
	}
	if err := errors.Join(os.RemoveAll(b.dir), os.MkdirAll(b.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	b.pair = newPair(t, s.road, s.v6)
	b.conf[0], b.conf[1] = sides(b.pair, s.road, s.v6)
	b.conf[0].Encap = port == 4500 && s.road == wire && ends.left == "ikejd" && ends.right == "ikejd"
	if s.change != nil {
		s.change(&b.conf[0], &b.conf[1])
	}
	b.left = b.newEnd("left", ends.left, b.pair.left, b.pair.leftSeen, port, s)
	b.right = b.newEnd("right", ends.right, b.pair.right, b.pair.rightAddr, port, s)
	remember(b)
	t.Cleanup(func() {
		b.tearDown()
		forget(b)
		if t.Failed() || os.Getenv("INTEROP_KEEP") != "" {
			t.Logf("kept: .lab/run/%s", filepath.Base(b.dir))
		} else if err := os.RemoveAll(b.dir); err != nil {
			t.Error(err)
		}
	})
	for i, e := range b.both() {
		if e.kind == "pluto" {
			b.conf[i].writeIpsec(t, e.dir, port == 4500)
		} else {
			b.conf[i].write(t, e.dir)
		}
	}
	b.tap = startTap(t, b.pair, b.dir)
	if s.road == wire {
		b.wire = startLossy(t, b.pair, b.dir, s.lossy)
	}
	for _, e := range b.both() {
		if err := e.start(); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// newEnd makes the end called kind, one of kinds.
func (b *bed) newEnd(side, kind, namespace, addr string, port int, s scene) *end {
	e := &end{kind: kind, dir: filepath.Join(shortName(b.t, b.dir), side), addr: netip.MustParseAddr(addr)}
	switch kind {
	case "charon":
		e.daemon = &charon{stock: stock{e.dir}, namespace: namespace, float: port == 4500, keys: s.keys, options: s.charonOptions}
	case "pluto":
		e.daemon = &pluto{dir: e.dir, namespace: namespace}
	default:
		e.daemon = &ikejd{stock: stock{e.dir}, namespace: namespace}
	}
	return e
}

func (b *bed) both() []*end { return []*end{b.left, b.right} }

// other is the end across the road.
func (b *bed) other(e *end) *end {
	if e == b.left {
		return b.right
	}
	return b.left
}

// swanctl fails the test when the command fails.
func (b *bed) swanctl(e *end, args ...string) string {
	b.t.Helper()
	out, err := swanctl(e.dir, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *bed) sas(e *end) []ikeSA {
	b.t.Helper()
	sas, _, err := e.list()
	if err != nil {
		b.t.Fatal(err)
	}
	return sas
}

// list is both ends' lists, to be shown.
func (b *bed) list() string {
	found := ""
	for _, e := range b.both() {
		_, text, err := e.list()
		if found += filepath.Base(e.dir) + ":\n" + text; err != nil {
			found += err.Error() + "\n"
		}
	}
	return found
}

// setUp has e start the IKE SA with its child, and returns it once both ends agree that it is there.
func (b *bed) setUp(e *end) ikeSA {
	b.t.Helper()
	if err := e.initiate(); err != nil {
		b.t.Fatal(err)
	}
	return b.agree(1)
}

// agree waits until both ends list the same one IKE SA, with so many children installed, each the other's mirror.
func (b *bed) agree(children int) (sa ikeSA) {
	b.t.Helper()
	until(b.t, 30*time.Second, fmt.Sprintf("both ends hold one IKE SA with %d children", children), func() bool {
		left, right := b.sas(b.left), b.sas(b.right)
		if len(left) != 1 || len(right) != 1 {
			return false
		}
		sa = left[0]
		return mirror(left[0], right[0]) && len(sa.children) == children
	}, b.list)
	return sa
}

// mirror reports whether two ends describe the same IKE SA. pluto does not show its SPIs and suite.
func mirror(left, right ikeSA) bool {
	shown := left.spiI != "" && right.spiI != ""
	if left.state != "ESTABLISHED" || right.state != "ESTABLISHED" || len(left.children) != len(right.children) ||
		shown && (left.spiI != right.spiI || left.spiR != right.spiR || left.suite != right.suite) {
		return false
	}
	for i, l := range left.children {
		if r := right.children[i]; l.state != "INSTALLED" || r.state != "INSTALLED" || l.in != r.out || l.out != r.in {
			return false
		}
	}
	return true
}

// explain has settle ask `ikejd why` about the SA: what it says must have every one of the patterns, in this order.
func (b *bed) explain(e *end, sa string, patterns ...string) {
	b.explained = append(b.explained, explanation{e, sa, regexp.MustCompile("(?s)" + strings.Join(patterns, ".*"))})
}

type explanation struct {
	*end
	sa   string
	says *regexp.Regexp
}

func (x explanation) check() error {
	d, ok := x.daemon.(*ikejd)
	if !ok {
		return nil // it keeps no journal
	}
	out, err := output(d.command("why", x.sa))
	if err == nil && !x.says.MatchString(out) {
		err = fmt.Errorf("%s: why %s does not say %q:\n%s", filepath.Base(d.dir), x.sa, x.says, out)
	}
	return err
}

// empty waits until neither end lists an SA. A Lingering one ends by itself within D-20's time.
func (b *bed) empty() {
	b.t.Helper()
	for _, e := range b.both() {
		b.gone(e)
	}
}

// gone waits until e lists no SA. One that has ended has none.
func (b *bed) gone(e *end) {
	b.t.Helper()
	until(b.t, 90*time.Second, filepath.Base(e.dir)+" lists no SA", func() bool {
		return !e.running || len(b.sas(e)) == 0
	}, b.list)
}

// dropped waits until the wire has lost so many datagrams.
func (b *bed) dropped(n int) {
	b.t.Helper()
	log := filepath.Join(b.dir, "lossy.log")
	until(b.t, 30*time.Second, fmt.Sprintf("the wire loses %d datagrams", n), func() bool {
		return strings.Count(readFile(log), " drop") >= n
	}, func() string { return readFile(log) })
}

// saw waits until the capture, which comes after the fact, has so many exchanges of the type that e asked for and got an
// answer to; it must not have more.
func (b *bed) saw(kind byte, e *end, want int) {
	b.t.Helper()
	n := 0
	until(b.t, 5*time.Second, fmt.Sprintf("%d exchanges of type %d", want, kind), func() bool {
		n = exchanges(b.tap.messages(b.t), kind, e.addr)
		return n >= want
	}, func() string { return fmt.Sprint(n) })
	if n > want {
		b.t.Errorf("%d exchanges of type %d, want %d", n, kind, want)
	}
}

// settle is the end of every scenario: nothing is left, both daemons end content, and what they left behind is good.
func (b *bed) settle() {
	b.t.Helper()
	b.empty()
	for _, e := range b.both() {
		if err := e.stop(); err != nil {
			b.t.Error(err)
		}
		if err := e.verify(); err != nil {
			b.t.Error(err)
		}
	}
	for _, x := range b.explained {
		if err := x.check(); err != nil {
			b.t.Error(err)
		}
	}
	b.tap.stop()
	if out, err := b.tap.malformed(); err != nil || out != "" {
		b.t.Errorf("malformed packets: %v\n%s", err, out)
	}
	b.auditBeside()
	all := b.tap.messages(b.t)
	if len(all) == 0 {
		b.t.Error("the capture shows no message: it cannot have seen this scenario")
	}
	for _, bad := range changedContent(all) {
		b.t.Error(bad)
	}
}

// tearDown ends what is still running, without asking. After settle nothing is but the road.
func (b *bed) tearDown() {
	for _, e := range b.both() {
		e.kill()
	}
	if b.tap != nil {
		b.tap.stop()
	}
	b.wire.stop()
	b.pair.down()
}
