package text

import "github.com/ikejd/ikejd/proto/record"

// Because is the edge by which a step came of another: `because fires 48127`, `because root operator`; empty where the
// record names none.
func Because(b *record.Because) string {
	if edge := edgeTo(b); edge != "" {
		return "because " + edge
	}
	return ""
}

func edgeTo(b *record.Because) string {
	switch {
	case b.GetEdge() != record.Edge_EDGE_ROOT:
		return Edge(b.GetEdge()) + " " + decimal(b.GetStep())
	case b.GetRoot() != record.Root_ROOT_UNSPECIFIED:
		return "root " + Root(b.GetRoot())
	}
	return ""
}
