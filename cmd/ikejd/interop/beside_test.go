//go:build interop

package interop

import "os/exec"

// auditBeside audits the journals that ended beside something else: the right one beside the capture at its own host, two
// ends beside each other.
func (b *bed) auditBeside() {
	right, ok := b.right.daemon.(*ikejd)
	if !ok {
		return
	}
	audits := [][]string{{"--journal", right.journal(), "--capture", b.tap.file}}
	if left, ok := b.left.daemon.(*ikejd); ok {
		audits = append(audits, []string{"--journal", left.journal(), "--with", right.journal()})
	}
	for _, args := range audits {
		said, err := output(exec.Command(right.program(), append([]string{"audit"}, args...)...))
		if err != nil {
			b.t.Error(err)
		}
		b.t.Log(said)
	}
}
