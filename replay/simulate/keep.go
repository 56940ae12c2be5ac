package simulate

import (
	"errors"
	"io"
	"iter"
	"os"

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

// Keep writes the journals of all nodes: that of the node at fault, or of the first, under name.ikej, the others with
// their node's name. It gives the files' names.
func (w *World) Keep(name string) (files []string, err error) {
	first := w.Nodes[0]
	if w.wrong != nil {
		for _, n := range w.Nodes {
			if n.Name == w.wrong.Node {
				first = n
			}
		}
	}
	for _, n := range w.Nodes {
		file := name + "-" + n.Name + ".ikej"
		if n == first {
			file = name + ".ikej"
		}
		if err := n.writeFile(file); err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

func (n *Node) writeFile(file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(n.WriteCase(out), out.Close())
}
