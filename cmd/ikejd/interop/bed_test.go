//go:build interop

package interop

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
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
}

// end is a daemon and the folder it lives in.
type end struct {
	daemon
	kind, dir string
	addr      netip.Addr // as the capture sees it
}

// ports are where IKE goes: all on 500, or floating to 4500 because of a NAT, pretended or real.
var ports = []int{500, 4500}

// play runs the scenario for every pairing and, on a plain road, for both ports.
func play(t *testing.T, s scene, scenario func(b *bed)) {
	for _, ends := range pairings {
		if s.only != nil && !s.only(ends) {
			continue
		}
		for _, port := range ports {
			if port == 4500 && (s.road == wire || s.v6) {
				continue
			}
			t.Run(fmt.Sprintf("%s-%s-%d", ends.left, ends.right, port), func(t *testing.T) {
				t.Parallel()
				here := s
				if port == 4500 && ends.left != "charon" && ends.right != "charon" {
					here.road = nat // nobody pretends
				}
				b := newBed(t, here, ends, port)
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
		(&charon{dir: filepath.Join(b.dir, side)}).kill() // left by a run that was itself killed
	}
	if err := errors.Join(os.RemoveAll(b.dir), os.MkdirAll(b.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	b.pair = newPair(t, s.road, s.v6)
	b.conf[0], b.conf[1] = sides(b.pair, s.road, s.v6)
	if s.change != nil {
		s.change(&b.conf[0], &b.conf[1])
	}
	b.left = b.newEnd("left", ends.left, b.pair.left, b.pair.leftSeen, port, s)
	b.right = b.newEnd("right", ends.right, b.pair.right, b.pair.rightAddr, port, s)
	remember(b)
	t.Cleanup(func() {
		b.tearDown()
		forget(b)
		if t.Failed() {
			t.Logf("kept: .lab/run/%s", filepath.Base(b.dir))
		} else if err := os.RemoveAll(b.dir); err != nil {
			t.Error(err)
		}
	})
	b.conf[0].write(t, b.left.dir)
	b.conf[1].write(t, b.right.dir)
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

// newEnd makes the end called kind: "charon" or "ikejd" (prepare has seen to that).
func (b *bed) newEnd(side, kind, namespace, addr string, port int, s scene) *end {
	e := &end{kind: kind, dir: filepath.Join(b.dir, side), addr: netip.MustParseAddr(addr)}
	if kind == "charon" {
		e.daemon = &charon{dir: e.dir, namespace: namespace, float: port == 4500, keys: s.keys, options: s.charonOptions}
	} else {
		e.daemon = &ikejd{dir: e.dir, namespace: namespace}
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

func (b *bed) sas(e *end) []ikeSA { b.t.Helper(); return parseSAs(b.swanctl(e, "--list-sas")) }

// list is both ends' lists, to be shown.
func (b *bed) list() string {
	return "left:\n" + b.swanctl(b.left, "--list-sas") + "right:\n" + b.swanctl(b.right, "--list-sas")
}

// setUp has e start the IKE SA with its child, and returns it once both ends agree that it is there.
func (b *bed) setUp(e *end) ikeSA {
	b.t.Helper()
	b.swanctl(e, "--initiate", "--child", "net", "--timeout", "30")
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

func mirror(left, right ikeSA) bool {
	if left.state != "ESTABLISHED" || right.state != "ESTABLISHED" || left.spiI != right.spiI || left.spiR != right.spiR ||
		left.suite != right.suite || len(left.children) != len(right.children) {
		return false
	}
	for i, l := range left.children {
		if r := right.children[i]; l.state != "INSTALLED" || r.state != "INSTALLED" || l.in != r.out || l.out != r.in {
			return false
		}
	}
	return true
}

// empty waits until neither end lists an SA. A Lingering one ends by itself within D-20's time.
func (b *bed) empty() {
	b.t.Helper()
	until(b.t, 90*time.Second, "neither end lists an SA", func() bool {
		return len(b.sas(b.left)) == 0 && len(b.sas(b.right)) == 0
	}, b.list)
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
	b.tap.stop()
	if out, err := b.tap.malformed(); err != nil || out != "" {
		b.t.Errorf("malformed packets: %v\n%s", err, out)
	}
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
