package replay

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
	"google.golang.org/protobuf/proto"
)

// Kind tells how the two sides of a step differ.
type Kind uint8

const (
	Missing    Kind = iota + 1 // the journal has an effect that this binary does not order
	Extra                      // this binary orders an effect that the journal does not have
	Changed                    // both have it, with other content
	OutOfOrder                 // both have the same effects, in another order
	Panicked                   // this binary cannot reduce the event
)

func (k Kind) String() string {
	return [...]string{"", "missing", "extra", "changed", "out of order", "panicked"}[k]
}

// Divergence is the first place in one step where an SA's effects differ; SA 0 stands for effects of none.
type Divergence struct {
	Step    uint64
	Time    int64
	SA      uint64
	Event   *record.Event
	Kind    Kind
	Version string         // of the program that wrote the journal there
	Journal *record.Effect // nil: the journal has none
	Binary  *record.Effect // nil: this binary orders none
	Note    string         // what this binary does instead, or its panic
	State   []Side         // what becomes of the SA on either side, where effects tell
}

// Side is one path of the State as the journal's effects and as this binary's leave it.
type Side struct {
	Path            string
	Journal, Binary string
}

// ordered is an effect on either side.
type ordered struct {
	octets []byte
	effect *record.Effect
}

// compare says for each SA of a step where its effects first differ. encoded are this binary's.
func compare(r *raw, before reducer.State, encoded []byte, panicked any) ([]Divergence, error) {
	journal, err := parse(r.effects)
	if err != nil {
		return nil, err
	}
	d := Divergence{Step: r.step, Time: r.time, SA: r.event.GetIkeSa(), Event: r.event}
	if panicked != nil {
		d.Kind, d.Note = Panicked, fmt.Sprint(panicked)
		if len(journal) > 0 {
			d.Journal = journal[0].effect
		}
		return []Divergence{d}, nil
	}
	binary, err := parse(encoded)
	if err != nil {
		return nil, err
	}
	var found []Divergence
	for _, sa := range sas(journal, binary) {
		a, b := of(journal, sa), of(binary, sa)
		if slices.EqualFunc(a, b, same) {
			continue
		}
		d.SA = sa
		d.Kind, d.Journal, d.Binary = differ(a, b)
		d.Note = instead(before.SA(sa), &d, b)
		d.State = sides(before.SA(sa), a, b)
		found = append(found, d)
	}
	if found == nil { // each SA's own are equal: they are interleaved otherwise
		i := 0
		for i < len(journal) && same(journal[i], binary[i]) {
			i++
		}
		d.SA, d.Kind = journal[i].effect.GetIkeSa(), OutOfOrder
		d.Journal, d.Binary = journal[i].effect, binary[i].effect
		found = append(found, d)
	}
	return found, nil
}

func parse(effects []byte) ([]ordered, error) {
	var all []ordered
	for _, b := range pieces(effects) {
		e := new(record.Effect)
		if err := proto.Unmarshal(b, e); err != nil {
			return nil, err
		}
		all = append(all, ordered{b, e})
	}
	return all, nil
}

func same(a, b ordered) bool { return bytes.Equal(a.octets, b.octets) }

// sas are the SAs that effects of either side are about, in the order they come.
func sas(sides ...[]ordered) []uint64 {
	var all []uint64
	for _, side := range sides {
		for _, o := range side {
			if !slices.Contains(all, o.effect.GetIkeSa()) {
				all = append(all, o.effect.GetIkeSa())
			}
		}
	}
	return all
}

func of(side []ordered, sa uint64) []ordered {
	var own []ordered
	for _, o := range side {
		if o.effect.GetIkeSa() == sa {
			own = append(own, o)
		}
	}
	return own
}

// differ finds the first difference of two lists that differ. A message or what else the world can see tells more than a
// note or a timer, so those are looked at first.
func differ(journal, binary []ordered) (Kind, *record.Effect, *record.Effect) {
	a, b := visible(journal), visible(binary)
	if slices.EqualFunc(a, b, same) {
		a, b = journal, binary
	}
	for len(a) > 0 && len(b) > 0 && same(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	switch {
	case len(a) == 0:
		return Extra, nil, b[0].effect
	case len(b) == 0:
		return Missing, a[0].effect, nil
	}
	aLater, bLater := contains(b, a[0]), contains(a, b[0])
	switch {
	case aLater && bLater:
		return OutOfOrder, a[0].effect, b[0].effect
	case aLater:
		return Extra, nil, b[0].effect
	case bLater:
		return Missing, a[0].effect, nil
	}
	if i := slices.IndexFunc(b, func(o ordered) bool { return key(o.effect) == key(a[0].effect) }); i >= 0 {
		return Changed, a[0].effect, b[i].effect
	}
	return Missing, a[0].effect, nil
}

func contains(list []ordered, o ordered) bool {
	return slices.ContainsFunc(list, func(other ordered) bool { return same(other, o) })
}

// key is what makes two effects of an SA the same thing with other content.
func key(e *record.Effect) string {
	name, _, _ := strings.Cut(text.Effect(e, 0), " ")
	switch k := e.GetKind().(type) {
	case *record.Effect_Record:
		name += fmt.Sprint(k.Record.GetResponse())
	case *record.Effect_SetTimer:
		name += text.Timer(k.SetTimer.GetTimer())
	case *record.Effect_CancelTimer:
		name += text.Timer(k.CancelTimer.GetTimer())
	case *record.Effect_Wanted:
		name += text.Wish(k.Wanted.GetWish())
	}
	return fmt.Sprint(name, e.GetChildSa())
}

func visible(list []ordered) []ordered {
	var seen []ordered
	for _, o := range list {
		if number := o.effect.ProtoReflect().WhichOneof(kindField); number != nil && reducer.EffectKind(number.Number()).Visible() {
			seen = append(seen, o)
		}
	}
	return seen
}

var kindField = (*record.Effect)(nil).ProtoReflect().Descriptor().Oneofs().ByName("kind")

// instead is what this binary wants in place of a message that it does not send.
func instead(sa *reducer.IKESA, d *Divergence, binary []ordered) string {
	if d.Binary != nil || sa == nil {
		return ""
	}
	for _, o := range binary {
		w, b := o.effect.GetWanted(), o.effect.GetBecause()
		if w == nil || b.GetEdge() != record.Edge_EDGE_BEHIND {
			continue
		}
		for _, open := range sa.Window.InFlight {
			if open.Recorded.Step == b.GetStep() && open.Recorded.Index == b.GetIndex() {
				return fmt.Sprintf("%s waits behind request %d", text.Wish(w.GetWish()), open.ID)
			}
		}
	}
	return ""
}
