package simulate

import (
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/minimise"
	"google.golang.org/protobuf/proto"
)

// place is a step of a node.
type place struct {
	node *Node
	step uint64
}

// causes is the causal slice of what was wrong, over all nodes: from the last record of the node where it showed (of every
// node, where it showed between them) along the recorded causes, and from a datagram received to the record that made it.
func (w *World) causes() map[place]*record.Record {
	records, made := map[place]*record.Record{}, map[uint64]place{}
	var todo []place
	for _, n := range w.Nodes {
		for _, e := range n.keep {
			r := new(record.Record)
			if proto.Unmarshal(e.Data, r) != nil {
				continue
			}
			at := place{n, e.Step}
			records[at] = r
			for _, datagram := range replay.Datagrams(r) {
				if digest := reducer.Digest(datagram); made[digest] == (place{}) {
					made[digest] = at
				}
			}
		}
		switch w.wrong.Node {
		case n.Name:
			todo = append(todo, place{n, w.wrong.step})
		case "":
			todo = append(todo, place{n, n.read})
		}
	}
	slice := map[place]*record.Record{}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r := records[at]
		if r == nil || slice[at] != nil {
			continue
		}
		slice[at] = r
		for _, step := range minimise.Causes(r) {
			todo = append(todo, place{at.node, step})
		}
		if d := r.GetEvent().GetDatagramReceived(); d != nil {
			todo = append(todo, made[d.GetDigest()])
		}
	}
	return slice
}
