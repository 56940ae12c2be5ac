package simulate

import (
	"io"
	"iter"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/replay"
)

// entries are all records of a node.
func (n *Node) entries() []journal.Entry {
	var all []journal.Entry
	for e, err := range n.disk.Read(1) {
		if err != nil {
			break
		}
		all = append(all, e)
	}
	return all
}

// Source is the node's journal, for package replay.
func (n *Node) Source() replay.Source {
	return source{last: journal.Position{Step: n.read, Time: n.time}, entries: func(from uint64) iter.Seq2[journal.Entry, error] {
		return func(yield func(journal.Entry, error) bool) {
			for _, e := range n.keep {
				if e.Step >= from && !yield(e, nil) {
					return
				}
			}
		}
	}}
}

// WriteCase writes the node's journal as a .ikej file.
func (n *Node) WriteCase(out io.Writer) error {
	return journal.WriteCase(out, journal.Case{Versions: replay.Versions([]string{"simulated"}), Entries: n.Source().Entries(1)})
}
