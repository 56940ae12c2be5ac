package simulate

// rule is what a scenario says of messages; scripted reports whether one of them decides.
type rule struct{}

func (x *network) scripted(from, to *Node, m *message) bool { return false }
