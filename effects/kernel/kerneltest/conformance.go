package kerneltest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
)

// Conformance runs the suite. newDataplane gives an empty dataplane each time; the suite closes it.
func Conformance(t *testing.T, newDataplane func(t *testing.T) kernel.Dataplane) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, kernel.Dataplane)
	}{
		{"life of a child", lifeOfAChild},
		{"rekey overlaps", rekeyOverlaps},
		{"duplicates", duplicates},
		{"removal of what is not there", removalOfNothing},
		{"refused by itself", refusedByItself},
		{"what is installed", whatIsInstalled},
		{"reservations", reservations},
		{"reservations run out", reservationsRunOut},
		{"reservations refused", reservationsRefused},
		{"many at once", manyAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDataplane(t)
			test.run(t, d)
			if err := d.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func lifeOfAChild(t *testing.T, d kernel.Dataplane) {
	child := Child(0x1001, 0x2001)
	wantInstalled(t, d)
	must(t, d.Install(child))
	wantInstalled(t, d, child.Key())
	usage, err := d.Query(child.Key())
	must(t, err)
	if usage != (kernel.Usage{}) {
		t.Errorf("a new child has carried %+v", usage)
	}
	must(t, d.Remove(child.Key()))
	wantInstalled(t, d)
	_, err = d.Query(child.Key())
	wantRefusal(t, err, syscall.ESRCH)
	must(t, d.Install(child)) // its SPIs are free again
	wantInstalled(t, d, child.Key())
	if want := Child(0x1001, 0x2001); !slices.Equal(child.KeysIn.EncrKey, want.KeysIn.EncrKey) {
		t.Error("the caller's keys were written to")
	}
}

// RFC 7296, section 2.8: the new Child SA is made before the old one is closed, for the same traffic.
func rekeyOverlaps(t *testing.T, d kernel.Dataplane) {
	old, fresh := Child(0x1001, 0x2001), Child(0x1002, 0x2002)
	must(t, d.Install(old))
	must(t, d.Install(fresh))
	wantInstalled(t, d, old.Key(), fresh.Key())
	must(t, d.Remove(old.Key()))
	wantInstalled(t, d, fresh.Key())
}

func duplicates(t *testing.T, d kernel.Dataplane) {
	first := Child(0x1001, 0x2001)
	must(t, d.Install(first))
	wantRefusal(t, d.Install(first), syscall.EEXIST)
	wantRefusal(t, d.Install(Child(0x1001, 0x2002)), syscall.EEXIST) // inbound
	wantRefusal(t, d.Install(Child(0x1002, 0x2001)), syscall.EEXIST) // outbound
	wantInstalled(t, d, first.Key())

	// All or nothing: neither half of what was refused is in the way.
	second := Child(0x1002, 0x2002)
	must(t, d.Install(second))
	// Another peer may choose the same SPI.
	elsewhere := Child(0x1003, 0x2001)
	elsewhere.Remote = Other4
	must(t, d.Install(elsewhere))
	wantInstalled(t, d, first.Key(), second.Key(), elsewhere.Key())
}

func removalOfNothing(t *testing.T, d kernel.Dataplane) {
	child := Child(0x1001, 0x2001)
	wantRefusal(t, d.Remove(child.Key()), syscall.ESRCH)
	must(t, d.Install(child))
	for _, other := range []func(*kernel.ChildKey){
		func(k *kernel.ChildKey) { k.InboundSPI++ },
		func(k *kernel.ChildKey) { k.OutboundSPI++ },
		func(k *kernel.ChildKey) { k.OutboundSPI = 0 }, // installed: no reservation any more
		func(k *kernel.ChildKey) { k.Remote = Other4 },
		func(k *kernel.ChildKey) { k.Local = Other4 },
		func(k *kernel.ChildKey) { k.Protocol = kernel.AH },
	} {
		key := child.Key()
		other(&key)
		wantRefusal(t, d.Remove(key), syscall.ESRCH)
		_, err := d.Query(key)
		wantRefusal(t, err, syscall.ESRCH)
	}
	wantInstalled(t, d, child.Key())
	must(t, d.Remove(child.Key()))
	wantRefusal(t, d.Remove(child.Key()), syscall.ESRCH)
}

func reservations(t *testing.T, d kernel.Dataplane) {
	request := kernel.AllocateRequest{Protocol: kernel.ESP, Local: Local4, Remote: Remote4}
	seen := map[uint32]bool{}
	var last uint32
	for range 200 {
		spi, err := d.AllocateSPI(t.Context(), request)
		must(t, err)
		if spi < 0x100 || seen[spi] {
			t.Fatalf("SPI 0x%08x is reserved by RFC 4303 or in use", spi)
		}
		seen[spi], last = true, spi
	}
	wantInstalled(t, d) // reservations are not listed

	child := Child(last, 0x2001)
	must(t, d.Install(child)) // takes its reservation
	key := child.Key()
	key.OutboundSPI = 0
	wantRefusal(t, d.Remove(key), syscall.ESRCH)
	must(t, d.Remove(child.Key()))

	delete(seen, last)
	for spi := range seen {
		key.InboundSPI = spi
		must(t, d.Remove(key))
		wantRefusal(t, d.Remove(key), syscall.ESRCH)
	}
}

func reservationsRunOut(t *testing.T, d kernel.Dataplane) {
	request := kernel.AllocateRequest{Protocol: kernel.ESP, Local: Local4, Remote: Remote4, Min: 0x1000, Max: 0x1003}
	child := Child(0x1002, 0x2001)
	must(t, d.Install(child)) // what is installed is not given out either
	var got []uint32
	for range 3 {
		spi, err := d.AllocateSPI(t.Context(), request)
		must(t, err)
		got = append(got, spi)
	}
	slices.Sort(got)
	if want := []uint32{0x1000, 0x1001, 0x1003}; !slices.Equal(got, want) {
		t.Fatalf("got SPIs %#x, want %#x", got, want)
	}
	_, err := d.AllocateSPI(t.Context(), request)
	wantRefusal(t, err, syscall.ENOSPC)
	must(t, d.Remove(child.Key()))
	spi, err := d.AllocateSPI(t.Context(), request)
	must(t, err)
	if spi != child.InboundSPI {
		t.Errorf("got SPI 0x%08x, only 0x%08x was free", spi, child.InboundSPI)
	}
}

func reservationsRefused(t *testing.T, d kernel.Dataplane) {
	good := kernel.AllocateRequest{Protocol: kernel.ESP, Local: Local4, Remote: Remote4}
	for _, row := range []struct {
		name  string
		spoil func(*kernel.AllocateRequest)
		errno syscall.Errno
	}{
		{"reserved SPIs", func(r *kernel.AllocateRequest) { r.Min, r.Max = 0, 0xff }, syscall.EINVAL},
		{"an empty range", func(r *kernel.AllocateRequest) { r.Min, r.Max = 0x2000, 0x1fff }, syscall.EINVAL},
		{"an unknown protocol", func(r *kernel.AllocateRequest) { r.Protocol = 17 }, syscall.EINVAL},
		{"families mixed", func(r *kernel.AllocateRequest) { r.Remote = Remote6 }, syscall.EAFNOSUPPORT},
	} {
		request := good
		row.spoil(&request)
		if _, err := d.AllocateSPI(t.Context(), request); !errors.Is(err, row.errno) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.errno)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.AllocateSPI(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func manyAtOnce(t *testing.T, d kernel.Dataplane) {
	var wg sync.WaitGroup
	for worker := range uint32(4) {
		wg.Go(func() {
			for i := range uint32(25) {
				request := kernel.AllocateRequest{Protocol: kernel.ESP, Local: Local4, Remote: Remote4}
				spi, err := d.AllocateSPI(t.Context(), request)
				if err != nil {
					t.Error(err)
					return
				}
				child := Child(spi, 0x10000*(worker+1)+i)
				if err := errors.Join(d.Install(child), d.Remove(child.Key())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantInstalled(t, d)
}

// must stops a test that cannot go on.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantRefusal wants a typed refusal with this errno.
func wantRefusal(t *testing.T, err error, errno syscall.Errno) {
	t.Helper()
	var refusal *kernel.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, errno) {
		t.Errorf("got %v, want a refusal with %q", err, errno)
	}
}

// wantInstalled wants exactly these to be listed, in order.
func wantInstalled(t *testing.T, d kernel.Dataplane, want ...kernel.ChildKey) {
	t.Helper()
	slices.SortFunc(want, kernel.ChildKey.Compare)
	list, err := d.List()
	must(t, err)
	got := make([]kernel.ChildKey, len(list))
	for i, installed := range list {
		got[i] = installed.Key
	}
	if !slices.Equal(got, want) {
		t.Errorf("installed: %v, want %v", got, want)
	}
}
