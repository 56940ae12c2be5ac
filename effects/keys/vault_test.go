package keys

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

// Half an exchange goes through the vault in every group, and agrees afterwards to the same keys.
func TestVaultHalf(t *testing.T) {
	for id := range groups {
		suite := x25519Suite
		suite.Group = uint16(id)
		a := agreement(t, suite)
		epochs := NewMemoryEpochs(newSeeded(1))
		before := New(Options{Epochs: epochs})
		share := must[Share](t)(before.MakeShare(uint16(id)))
		sealed := must[[]byte](t)(before.Export(share.Ref))
		after := New(Options{Epochs: epochs})
		if err := after.Import(share.Ref, sealed); err != nil {
			t.Fatalf("%v: %v", id, err)
		}
		for _, k := range []*Keyring{before, after} {
			if err := k.Agree(share.Ref, a); err != nil {
				t.Fatalf("%v: %v", id, err)
			}
		}
		_, l1, _ := before.of(share.Ref).entry(share.Ref)
		_, l2, _ := after.of(share.Ref).entry(share.Ref)
		if !bytes.Equal(l1.keys, l2.keys) {
			t.Errorf("%v: other keys after the vault", id)
		}
		if next := must[Share](t)(after.MakeShare(uint16(id))); next.Ref <= share.Ref {
			t.Errorf("%v: reference %d was given out again", id, next.Ref)
		}
	}
}

// W-32: after a crash, too, keys stand, and a share of a Child SA enters one exchange only.
func TestVaultRemembersTheAgreement_W32(t *testing.T) {
	epochs := NewMemoryEpochs(newSeeded(1))
	before := New(Options{Epochs: epochs})
	init := must[Init](t)(before.MakeInit(31))
	a := agreement(t, x25519Suite)
	if err := before.Agree(init.Ref, a); err != nil {
		t.Fatal(err)
	}
	child := must[Share](t)(before.MakeShare(31))
	in := ChildInput{Ni: a.Ni, Nr: a.Nr, Encr: ike.EncrAESGCM16, KeyLength: 128, ShareRef: child.Ref, PeerPublic: a.PeerPublic}
	want := must[ChildKeys](t)(before.ChildKeys(init.Ref, in))

	after := New(Options{Epochs: epochs})
	for _, ref := range []uint64{init.Ref, child.Ref} {
		if err := after.Import(ref, must[[]byte](t)(before.Export(ref))); err != nil {
			t.Fatal(err)
		}
		if err := after.Import(ref, must[[]byte](t)(before.Export(ref))); err == nil {
			t.Error("imported over what was there")
		}
	}
	if err := after.Agree(init.Ref, a); err != nil {
		t.Errorf("the same agreement: %v", err)
	}
	a.SPIr++
	if err := after.Agree(init.Ref, a); !errors.Is(err, ErrAgreed) {
		t.Errorf("another agreement: got %v, want ErrAgreed", err)
	}
	other := in
	other.PeerPublic = init.Public
	if _, err := after.ChildKeys(init.Ref, other); !errors.Is(err, ErrAgreed) {
		t.Errorf("another public for the child: got %v, want ErrAgreed", err)
	}
	if got := must[ChildKeys](t)(after.ChildKeys(init.Ref, in)); !bytes.Equal(got.ResponderEncr, want.ResponderEncr) {
		t.Error("other child keys after the vault")
	}
}

func TestImportRefuses(t *testing.T) {
	epochs := NewMemoryEpochs(newSeeded(1))
	k := New(Options{Epochs: epochs})
	share := must[Share](t)(k.MakeShare(31))
	sealed := must[[]byte](t)(k.Export(share.Ref))
	secret := k.of(share.Ref).half[share.Ref].key.bytes()
	if bytes.Contains(sealed, secret) {
		t.Error("the private value is in the entry as it is")
	}
	fresh := func() *Keyring { return New(Options{Epochs: epochs}) }
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if err := fresh().Import(share.Ref, bad); !errors.Is(err, ErrVault) {
			t.Errorf("octet %d changed: got %v, want ErrVault", i, err)
		}
	}
	for n := range sealed {
		if err := fresh().Import(share.Ref, sealed[:n]); !errors.Is(err, ErrVault) {
			t.Errorf("cut to %d: got %v, want ErrVault", n, err)
		}
	}
	if err := fresh().Import(share.Ref+1, sealed); !errors.Is(err, ErrVault) {
		t.Errorf("under another reference: got %v, want ErrVault", err)
	}
	if err := New(Options{}).Import(share.Ref, sealed); !errors.Is(err, ErrVault) {
		t.Errorf("under other epochs: got %v, want ErrVault", err)
	}
	// What is sealed well and is not an entry of ours: another version's.
	half := append([]byte{entryHalf, 0, 31}, make([]byte, 16+31)...)
	agreed := x25519Suite.append([]byte{entryAgreed})
	for _, plain := range [][]byte{
		{}, {9}, half[:19], half, append([]byte{entryHalf, 0, 2}, half[3:]...), agreed, append(agreed, make([]byte, 18)...),
		append((Suite{}).append([]byte{entryAgreed}), make([]byte, 100)...), bytes.Repeat([]byte{7}, 100),
	} {
		if err := fresh().Import(1, must[[]byte](t)(epochs.seal(1, plain))); !errors.Is(err, ErrVault) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%x: got %v, want ErrVault or ErrUnsupported", plain, err)
		}
	}
}
