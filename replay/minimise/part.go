package minimise

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ikejd/ikejd/proto/record"
)

// only is the journal of the steps kept: those whose causes are all kept too. Steps and SAs are numbered anew, as a daemon
// to which nothing else had happened would have.
func (j *Journal) only(keep func(step uint64) bool) *Journal {
	part := &Journal{Snapshot: j.Snapshot, Written: j.Written}
	n := numbers{steps: map[uint64]uint64{}, sas: map[uint64]uint64{}, children: map[uint64]uint64{}}
	if s := j.Snapshot; s != nil {
		n.step, n.sa, n.child = s.GetStep(), s.GetNextIke()-1, s.GetNextChild()-1
	}
	n.oldSA, n.oldChild = n.sa, n.child
	first := j.First()
	for _, r := range j.Records {
		if !keep(r.GetStep()) || !n.rooted(r, first) {
			continue
		}
		n.step++
		n.steps[r.GetStep()] = n.step
		r = proto.CloneOf(r)
		n.makes(r)
		r.Step = n.step
		n.renumber(r.ProtoReflect())
		part.Records = append(part.Records, r)
	}
	return part
}

// numbers are what steps and SAs are called in a part: by what they are called in the whole.
type numbers struct {
	steps, sas, children map[uint64]uint64
	step, sa, child      uint64 // the last one given
	oldSA, oldChild      uint64 // SAs up to these are of before the journal, and keep their numbers
}

// rooted reports whether all that a record came of is in the part, or was before the journal began.
func (n *numbers) rooted(r *record.Record, first uint64) bool {
	for _, step := range Causes(r) {
		if _, kept := n.steps[step]; step >= first && !kept {
			return false
		}
	}
	return true
}

// makes gives numbers to the SAs that come to be with this record: the reducer counts them in the order of its effects. An
// answer, or why an event changed nothing, may name an SA that never was.
func (n *numbers) makes(r *record.Record) {
	for _, e := range r.GetEffects() {
		if e.GetAnswer() != nil || e.GetDropped() != nil {
			continue
		}
		if sa := e.GetIkeSa(); sa > n.oldSA && n.sas[sa] == 0 {
			n.sa++
			n.sas[sa] = n.sa
		}
		if child := e.GetChildSa(); child > n.oldChild && n.children[child] == 0 {
			n.child++
			n.children[child] = n.child
		}
	}
}

// renumber changes every number in a record of the journal: fields that hold one have the same names everywhere in the
// schema. SAs that are not in the part are left out of lists.
func (n *numbers) renumber(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch name := f.Name(); {
		case f.Message() != nil && f.IsList():
			for i := range v.List().Len() {
				n.renumber(v.List().Get(i).Message())
			}
		case f.Message() != nil:
			n.renumber(v.Message())
		case f.IsList() && f.Kind() == protoreflect.Uint64Kind:
			n.renumberList(v.List(), name)
		case name == "step" && m.Descriptor().Name() == "Because":
			if now, there := n.steps[v.Uint()]; there {
				m.Set(f, protoreflect.ValueOfUint64(now))
			}
		case name == "ike_sa" || name == "child_sa":
			if now, there := n.of(name, v.Uint()); there {
				m.Set(f, protoreflect.ValueOfUint64(now))
			}
		}
		return true
	})
}

// of is what an SA is called that a field of that name calls old.
func (n *numbers) of(field protoreflect.Name, old uint64) (now uint64, there bool) {
	given, before := n.sas, n.oldSA
	if field == "child_sa" || field == "children" {
		given, before = n.children, n.oldChild
	}
	if old <= before {
		return old, true
	}
	now, there = given[old]
	return now, there
}

func (n *numbers) renumberList(list protoreflect.List, field protoreflect.Name) {
	kept := 0
	for i := range list.Len() {
		if now, there := n.of(field, list.Get(i).Uint()); there {
			list.Set(kept, protoreflect.ValueOfUint64(now))
			kept++
		}
	}
	list.Truncate(kept)
}
