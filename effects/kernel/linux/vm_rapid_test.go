//go:build vm

package linux

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
	"pgregory.net/rapid"
)

// Child SAs of three peers for two kinds of traffic that meet in one selector, made and removed,
// against a list: the last that was made of those that want a selector has it.

// naive is the Child SAs that are installed, in the order of their groups' coming.
type naive struct{ installed []kernel.Child }

func (n *naive) has(c kernel.Child) bool {
	return slices.ContainsFunc(n.installed, func(o kernel.Child) bool { return o.Key() == c.Key() })
}

// groupOf is what a child shares policies by: its peer and its traffic.
func groupOf(c kernel.Child) string { return fmt.Sprint(c.Remote, c.TSLocal, c.TSRemote) }

// owners are the peers of outbound policies by destination, sorted lines.
func (n *naive) owners() []string {
	var groups []string // by their first child, as long as one is left
	owner := map[string]netip.Addr{}
	for _, c := range n.installed {
		if g := groupOf(c); !slices.Contains(groups, g) {
			groups = append(groups, g)
			for _, ts := range c.TSRemote {
				owner[prefixes(ts.Start, ts.End)[0].String()] = c.Remote
			}
		}
	}
	var lines []string
	for dst, remote := range owner {
		lines = append(lines, dst+" by "+remote.String())
	}
	slices.Sort(lines)
	return lines
}

// step is one request of a run.
type step struct {
	install bool
	child   kernel.Child
}

func TestAgainstAList(t *testing.T) {
	peers := []netip.Addr{kerneltest.Remote4, kerneltest.Other4, netip.MustParseAddr("192.0.2.4")}
	remotes := [][]kernel.Selector{{side(0, 0, 65535, "10.2.0.0", "10.2.255.255")},
		{side(0, 0, 65535, "10.2.0.0", "10.2.255.255"), side(0, 0, 65535, "10.3.0.0", "10.3.255.255")}}
	rapid.Check(t, func(rt *rapid.T) {
		var steps []step
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			spi := rapid.Uint32Range(0x1000, 0x100b).Draw(rt, "spi")
			c := kerneltest.Child(spi, spi+0x1000)
			c.Remote, c.TSRemote = peers[spi%3], remotes[spi/3%2]
			steps = append(steps, step{rapid.IntRange(0, 2).Draw(rt, "install") > 0, c})
		}
		wrong := make(chan string)
		go func() { // a thread, and so a namespace, for each run
			defer close(wrong)
			namespace(t)
			run(t, steps, wrong)
		}()
		for text := range wrong {
			rt.Error(text)
		}
	})
}

// run does the steps, and says what went otherwise than by the list.
func run(t *testing.T, steps []step, wrong chan<- string) {
	d, err := Open()
	if err != nil {
		wrong <- err.Error()
		return
	}
	defer d.Close()
	var n naive
	for _, s := range steps {
		there := n.has(s.child)
		if s.install {
			if err := d.Install(s.child); there != errors.Is(err, syscall.EEXIST) || !there && err != nil {
				wrong <- fmt.Sprintf("install %v: %v", s.child, err)
			} else if !there {
				n.installed = append(n.installed, s.child)
			}
		} else {
			if err := d.Remove(s.child.Key()); there == errors.Is(err, syscall.ESRCH) || there && err != nil {
				wrong <- fmt.Sprintf("remove %v: %v", s.child, err)
			}
			n.remove(s.child)
		}
		var got []string
		all, err := d.policies.dump()
		if err != nil {
			wrong <- err.Error()
		}
		for _, p := range all {
			if p.Direction == xfrm.PolicyOut {
				got = append(got, p.Selector.Dst.String()+" by "+p.Templates[0].Dst.String())
			}
		}
		slices.Sort(got)
		if want := n.owners(); !slices.Equal(got, want) {
			wrong <- fmt.Sprintf("policies %q, want %q", got, want)
		}
		if list, err := d.List(); err != nil || len(list) != len(n.installed) {
			wrong <- fmt.Sprintf("%d are listed, %d are there, %v", len(list), len(n.installed), err)
		}
	}
	for _, c := range slices.Clone(n.installed) {
		if err := d.Remove(c.Key()); err != nil {
			wrong <- fmt.Sprintf("remove %v: %v", c, err)
		}
	}
	if left := append(shown(t, "xfrm state"), shown(t, "xfrm policy")...); len(left) != 0 {
		wrong <- fmt.Sprintf("left: %q", left)
	}
}

// remove keeps a group at its place while a child of it is left.
func (n *naive) remove(c kernel.Child) {
	i := slices.IndexFunc(n.installed, func(o kernel.Child) bool { return o.Key() == c.Key() })
	if i < 0 {
		return
	}
	for j := i + 1; j < len(n.installed); j++ {
		if groupOf(n.installed[j]) == groupOf(c) { // the next of the group takes its place
			n.installed[i] = n.installed[j]
			n.installed = slices.Delete(n.installed, j, j+1)
			return
		}
	}
	n.installed = slices.Delete(n.installed, i, i+1)
}
