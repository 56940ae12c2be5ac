package kernel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
)

func TestModelConformance(t *testing.T) {
	kerneltest.Conformance(t, func(*testing.T) kernel.Dataplane {
		return kernel.NewModel(kernel.ModelConfig{})
	})
}

var request = kernel.AllocateRequest{Protocol: kernel.ESP, Local: kerneltest.Local4, Remote: kerneltest.Remote4}

// The same randomness gives the same SPIs, taken ones are passed over, and its failure is an error.
func TestAllocateReadsTheInjectedRandomness(t *testing.T) {
	random := bytes.NewReader([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0})
	m := kernel.NewModel(kernel.ModelConfig{Random: random})
	var got []uint32
	for range 2 {
		spi, err := m.AllocateSPI(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, spi)
	}
	if want := []uint32{0x101, 0x109}; !slices.Equal(got, want) {
		t.Errorf("got SPIs %#x, want %#x", got, want)
	}
	if _, err := m.AllocateSPI(t.Context(), request); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("randomness that ends: %v", err)
	}
}

// An SPI is in use whatever addresses and protocol it is used with.
func TestAllocateLooksAtAllAddresses(t *testing.T) {
	m := kernel.NewModel(kernel.ModelConfig{Random: zeros{}})
	six := kernel.AllocateRequest{Protocol: kernel.AH, Local: kerneltest.Local6, Remote: kerneltest.Remote6}
	first, err := m.AllocateSPI(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.AllocateSPI(t.Context(), six)
	if err != nil || second == first {
		t.Errorf("got SPI 0x%x and 0x%x, %v", first, second, err)
	}
}

// zeros is the worst randomness: every try is the same SPI.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Where a host talks to itself, an inbound and an outbound state can be one and the same.
func TestSelf(t *testing.T) {
	m := kernel.NewModel(kernel.ModelConfig{Random: zeros{}})
	child := kerneltest.Child(0x200, 0x100)
	child.Remote = child.Local
	if err := m.Install(child); err != nil {
		t.Fatal(err)
	}
	self := request
	self.Remote = self.Local
	if spi, err := m.AllocateSPI(t.Context(), self); spi != 0x101 || err != nil {
		t.Errorf("got SPI 0x%x, %v; 0x100 is the outbound one", spi, err)
	}
	other := kerneltest.Child(0x300, 0x300)
	other.Remote = other.Local
	if err := m.Install(other); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("one state for both directions: %v", err)
	}
}

func TestMaxStates(t *testing.T) {
	m := kernel.NewModel(kernel.ModelConfig{MaxStates: 3})
	spi, err := m.AllocateSPI(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	first, second := kerneltest.Child(0x1001, 0x2001), kerneltest.Child(spi, 0x2002)
	if err := m.Install(first); err != nil {
		t.Fatal(err)
	}
	if err := m.Install(second); !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("a fourth state by Install: %v", err)
	}
	if _, err := m.AllocateSPI(t.Context(), request); !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("a fourth state by AllocateSPI: %v", err)
	}
	if err := errors.Join(m.Remove(first.Key()), m.Install(second)); err != nil {
		t.Errorf("after a removal: %v", err)
	}
}

func TestFaults(t *testing.T) {
	lost := errors.New("lost")
	var seen []string
	refuse := kernel.RefuseNth(kernel.OpInstall, 2, syscall.ENOBUFS)
	m := kernel.NewModel(kernel.ModelConfig{Faults: kernel.Faults{
		Before: func(r kernel.Request) error {
			seen = append(seen, fmt.Sprintf("%s %d", r.Op, r.N))
			if r.Op == kernel.OpInstall && len(r.Child.KeysIn.EncrKey) == 0 {
				t.Error("the hook sees no keys")
			}
			return refuse.Before(r)
		},
		After: func(r kernel.Request) error {
			if r.Op == kernel.OpRemove {
				return lost
			}
			return nil
		},
	}})
	first, second := kerneltest.Child(0x1001, 0x2001), kerneltest.Child(0x1002, 0x2002)
	if err := m.Install(first); err != nil {
		t.Error(err)
	}
	if err := m.Install(second); !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("the second: %v", err)
	}
	if err := m.Install(second); err != nil {
		t.Errorf("the third: %v", err)
	}
	if err := m.Remove(first.Key()); err != lost {
		t.Errorf("an answer that was lost: %v", err)
	}
	if list, err := m.List(); err != nil || len(list) != 1 || list[0].Key != second.Key() {
		t.Errorf("left: %v, %v", list, err)
	}
	want := []string{"install child 1", "install child 2", "install child 3", "remove child 1"}
	if !slices.Equal(seen, want) {
		t.Errorf("hooks saw %q, want %q", seen, want)
	}
}

// A slow kernel holds up the request it is slow about, and no other.
func TestSlow(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	m := kernel.NewModel(kernel.ModelConfig{Faults: kernel.Faults{Before: func(r kernel.Request) error {
		if r.Op == kernel.OpInstall && r.N == 1 {
			close(entered)
			<-release
		}
		return nil
	}}})
	done := make(chan error)
	go func() { done <- m.Install(kerneltest.Child(0x1001, 0x2001)) }()
	<-entered
	if err := m.Install(kerneltest.Child(0x1002, 0x2002)); err != nil {
		t.Error(err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// No way of printing a Child, its keys, or what holds them shows a key.
func TestKeysAreNeverPrinted(t *testing.T) {
	child := kerneltest.Child(0x1001, 0x2001)
	secret := []byte("topsecretkeymaterial")
	child.KeysIn = kernel.Keys{EncrKey: secret, IntegKey: secret}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%b", "% x", "%T"} {
		type holds struct{ C kernel.Child }
		request := kernel.Request{Child: &child}
		for _, v := range []any{child, &child, child.KeysIn, &child.KeysIn, holds{child}, []kernel.Child{child}, request, request.Child} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		type holds struct{ K kernel.Keys }
		slog.New(handler).Info("child", "child", child, "pointer", &child, "keys", child.KeysIn, "in", holds{child.KeysIn},
			"list", []kernel.Child{child})
	}
	encoded, err := json.Marshal(child)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	wrong := child
	wrong.KeysOut = kernel.Keys{EncrKey: secret}
	fmt.Fprintf(&out, "%v %+v %#v", kernel.NewModel(kernel.ModelConfig{}).Install(wrong), kernel.NewModel(kernel.ModelConfig{}).Install(wrong), kernel.NewModel(kernel.ModelConfig{}).Install(wrong))

	printed := strings.ToLower(out.String())
	for _, form := range []string{
		string(secret),
		fmt.Sprintf("%x", secret), fmt.Sprintf("% x", secret),
		strings.Trim(fmt.Sprint(secret), "[]"),               // decimal
		strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"), // Go syntax
		strings.Trim(fmt.Sprintf("%b", secret), "[]"),        // binary
		"dG9wc2VjcmV0", // base64, its beginning
	} {
		if strings.Contains(printed, strings.ToLower(form)) {
			t.Errorf("printed as %q", form)
		}
	}
	if !strings.Contains(printed, "keys(20+20 octets)") || !strings.Contains(printed, "esp 0x00001001 in") {
		t.Error("nothing was printed at all")
	}
}

func TestRefusalSaysWhat(t *testing.T) {
	m := kernel.NewModel(kernel.ModelConfig{})
	child := kerneltest.Child(0x1001, 0x2001)
	if err := m.Install(child); err != nil {
		t.Fatal(err)
	}
	want := "install child 0x00001001: file exists: inbound state to 192.0.2.1 is there already; remove it first"
	if err := m.Install(child); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
