//go:build vm

package linux

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
	"golang.org/x/sys/unix"
)

// Limits, moved ends and moved NATs as the kernel says them.
func TestEvents(t *testing.T) {
	namespace(t)
	conn, err := xfrm.Dial()
	must(t, err)
	defer conn.Close()
	monitor, err := xfrm.Listen()
	must(t, err)
	events := make(chan xfrm.Event, 16)
	go func() {
		for {
			event, err := monitor.Next()
			if err != nil {
				close(events)
				return
			}
			events <- event
		}
	}()
	defer monitor.Close()
	next := func() xfrm.Event {
		t.Helper()
		select {
		case event := <-events:
			return event
		case <-time.After(20 * time.Second):
			t.Fatal("no event")
			return nil
		}
	}
	child := kerneltest.Child(0x1001, 0x2001)
	s := stateOf(&child, inbound, 1)
	if refusal := protect(s, &child, child.KeysIn); refusal != nil {
		t.Fatal(refusal)
	}
	must(t, conn.Do(xfrm.NewState(s)))
	for _, hard := range []bool{false, true} {
		must(t, conn.Do(xfrm.ExpireState(s, hard)))
		if e, ok := next().(*xfrm.Expired); !ok || e.Hard != hard || e.State.ID() != s.ID() || e.State.ReqID != s.ReqID {
			t.Errorf("expired, hard %v: got %+v", hard, e)
		}
	}
	if err := conn.Do(xfrm.DeleteState(s.ID())); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("after the hard limit: %v", err)
	}

	s.Limits.Soft.AddedFor, s.Limits.Hard.AddedFor = 1, 3
	must(t, conn.Do(xfrm.NewState(s)))
	for _, hard := range []bool{false, true} {
		if e, ok := next().(*xfrm.Expired); !ok || e.Hard != hard || e.State.Limits != s.Limits {
			t.Errorf("ran out, hard %v: got %+v", hard, e)
		}
	}

	s.Limits = xfrm.NoLimits
	must(t, conn.Do(xfrm.NewState(s)))
	template := xfrm.Template{Src: child.Local, Dst: child.Remote, Protocol: unix.IPPROTO_ESP, Mode: xfrm.Tunnel}
	selectors, _ := traffic(&child)
	policies := policiesOf(template, selectors, 1)
	must(t, conn.Do(xfrm.NewPolicy(&policies[1]))) // the inbound one
	m := &xfrm.Migration{Policy: xfrm.PolicyID{Selector: policies[1].Selector, Direction: xfrm.PolicyIn},
		Moves: []xfrm.Move{{OldSrc: child.Remote, OldDst: child.Local, NewSrc: kerneltest.Other4, NewDst: child.Local, Protocol: unix.IPPROTO_ESP, Mode: xfrm.Tunnel, ReqID: s.ReqID}}}
	must(t, conn.Do(xfrm.Migrate(m)))
	if moved, ok := next().(*xfrm.Migration); !ok || !slices.Equal(moved.Moves, m.Moves) || moved.Policy.Selector != m.Policy.Selector {
		t.Errorf("migrated: %+v", moved)
	}
	var there xfrm.State
	must(t, conn.Ask(xfrm.GetState(xfrm.StateID{Dst: s.Dst, SPI: s.SPI, Protocol: s.Protocol}), func(_ uint16, body []byte) (err error) {
		there, err = xfrm.DecodeState(body)
		return err
	}))
	if there.Src != kerneltest.Other4 || there.ReqID != s.ReqID || !there.AEAD.Key.Equal(s.AEAD.Key) {
		t.Errorf("the state that moved is %+v", there)
	}
}
