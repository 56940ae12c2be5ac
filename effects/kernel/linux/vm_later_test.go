//go:build vm

package linux

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// A later run finds what is ours, cleans up what is half, and leaves what is others' alone.
func TestLaterRun(t *testing.T) {
	namespace(t)
	ip(t, "xfrm state add src 192.0.2.1 dst 192.0.2.9 proto esp spi 0x3001 reqid 7 mode tunnel aead rfc4106(gcm(aes)) 0x"+strings.Repeat("ab", 20)+" 128")
	ip(t, "xfrm policy add src 10.1.0.0/16 dst 10.9.0.0/16 dir out tmpl src 192.0.2.1 dst 192.0.2.9 proto esp reqid 7 mode tunnel")
	foreign := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...)

	d, err := Open()
	must(t, err)
	kept, half := kerneltest.Child(0x1001, 0x2001), kerneltest.Child(0x1002, 0x2002)
	half.TSLocal = []kernel.Selector{side(0, 0, 65535, "10.3.0.0", "10.3.255.255")}
	must(t, d.Install(kept))
	must(t, d.Install(half))
	_, out := states(half.Key())
	must(t, d.conn.Do(xfrm.DeleteState(out.id()))) // died between the two
	must(t, d.Close())

	d = open(t)
	list, err := d.List()
	if err != nil || len(list) != 1 || list[0].Key != kept.Key() {
		t.Errorf("found %v, %v", list, err)
	}
	if lines := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...); len(lines) != len(foreign)+2+3 {
		t.Errorf("there are %q", lines)
	}
	rekeyed := kerneltest.Child(0x1003, 0x2003)
	must(t, d.Install(rekeyed))
	must(t, d.Remove(kept.Key()))
	must(t, d.Remove(rekeyed.Key()))
	if lines := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...); !slices.Equal(lines, foreign) {
		t.Errorf("there are %q, want %q", lines, foreign)
	}

	// Somebody else's policy in the very place of ours refuses ours, whole.
	ip(t, "xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir fwd action block")
	if err := d.Install(kept); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("a place that is taken: %v", err)
	}
	if lines := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...); len(lines) != len(foreign)+1 {
		t.Errorf("there are %q", lines)
	}
	ip(t, "xfrm policy delete src 10.2.0.0/16 dst 10.1.0.0/16 dir fwd")
	must(t, d.Install(kept))

	// What somebody else removed is gone, and said to be.
	ip(t, "xfrm state flush")
	ip(t, "xfrm policy flush")
	if _, err := d.Query(kept.Key()); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("query: %v", err)
	}
	if err := d.Remove(kept.Key()); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("remove: %v", err)
	}
	must(t, d.Install(kept))
}
