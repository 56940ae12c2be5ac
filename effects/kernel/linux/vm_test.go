//go:build vm

package linux

import (
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
)

// What wants a kernel with ESP: `make vm` runs these in a virtual machine. Each test has a network namespace of its own.

func open(t *testing.T) *Dataplane {
	t.Helper()
	d, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// ip runs ip and gives its output.
func ip(t *testing.T, command string) string {
	t.Helper()
	output, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", command, err, output)
	}
	return string(output)
}

// shown is what `ip xfrm` shows, one line a state or policy.
func shown(t *testing.T, command string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(ip(t, command)) {
		if line = strings.Join(strings.Fields(line), " "); strings.HasPrefix(line, "src ") {
			lines = append(lines, line)
		} else if n := len(lines); n > 0 {
			lines[n-1] += " " + line
		}
	}
	slices.Sort(lines)
	return lines
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	kerneltest.Conformance(t, func(t *testing.T) kernel.Dataplane {
		namespace(t)
		d, err := Open()
		must(t, err)
		return d
	})
}

// What was installed reads as it should with `ip xfrm`, and is gone afterwards.
func TestAsIPShowsIt(t *testing.T) {
	namespace(t)
	d := open(t)
	child := kerneltest.Child(0x1001, 0x2001)
	child.ESN, child.ReplayWindow, child.Encap = true, 128, &kernel.Encap{LocalPort: 4500, RemotePort: 40123}
	must(t, d.Install(child))
	key := "0x" + strings.Repeat("e1", 36)
	states := shown(t, "xfrm state")
	for i, want := range [][]string{
		{"src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00002001", "reqid 469762051", "encap type espinudp sport 4500 dport 40123"},
		{"src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x00001001", "reqid 469762050", "encap type espinudp sport 40123 dport 4500"},
	} {
		for _, text := range append(want, "mode tunnel", "flag af-unspec esn", "aead rfc4106(gcm(aes)) "+key+" 128", "replay_window 128") {
			if len(states) != 2 || !strings.Contains(states[i], text) {
				t.Errorf("state %d has no %q in %q", i, text, states)
			}
		}
	}
	in := " ptype main tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 469762050 mode tunnel"
	want := []string{
		"src 10.1.0.0/16 dst 10.2.0.0/16 dir out priority 95904 ptype main tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 469762051 mode tunnel",
		"src 10.2.0.0/16 dst 10.1.0.0/16 dir fwd priority 95904" + in,
		"src 10.2.0.0/16 dst 10.1.0.0/16 dir in priority 95904" + in,
	}
	if got := shown(t, "xfrm policy"); !slices.Equal(got, want) {
		t.Errorf("policies\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	must(t, d.Remove(child.Key()))
	if left := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// A rekeyed Child SA shares the policies of the old one; they go with the last.
func TestPoliciesAreShared(t *testing.T) {
	namespace(t)
	d := open(t)
	old, fresh := kerneltest.Child(0x1001, 0x2001), kerneltest.Child(0x1002, 0x2002)
	must(t, d.Install(old))
	before := shown(t, "xfrm policy")
	must(t, d.Install(fresh))
	must(t, d.Remove(old.Key()))
	if after := shown(t, "xfrm policy"); len(before) != 3 || !slices.Equal(before, after) {
		t.Errorf("policies before %q, after %q", before, after)
	}
	must(t, d.Remove(fresh.Key()))
	if left := shown(t, "xfrm policy"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// Of two peers for the same traffic the last has it, and on its end the one before.
func TestContestedTraffic(t *testing.T) {
	namespace(t)
	d := open(t)
	first, second := kerneltest.Child(0x1001, 0x2001), kerneltest.Child(0x1002, 0x2002)
	second.Remote = kerneltest.Other4
	has := func(remote netip.Addr, n int) {
		t.Helper()
		lines := shown(t, "xfrm policy")
		for _, line := range lines {
			if !strings.Contains(line, remote.String()+" ") {
				t.Errorf("not of %v: %q", remote, line)
			}
		}
		if len(lines) != n {
			t.Errorf("%d policies, want %d", len(lines), n)
		}
	}
	must(t, d.Install(first))
	must(t, d.Install(second))
	has(second.Remote, 3)
	must(t, d.Remove(second.Key()))
	has(first.Remote, 3)
	must(t, d.Install(second))
	must(t, d.Remove(first.Key()))
	has(second.Remote, 3)
	must(t, d.Remove(second.Key()))
	has(second.Remote, 0)
}
