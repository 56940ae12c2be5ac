//go:build interop

package interop

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// load is what of `ikejd bench --json` is looked at.
type load struct {
	SetUp, Probed, Deleted struct{ Asked, Done int }
	Children               int
	Peer                   struct{ Answered, Deleted, Children, Refused int }
}

// `ikejd bench` against somebody else's responder: it sets up, answers the responder's own checks while it holds, probes,
// deletes; SAs that the responder deletes it loses, and answers for.
func TestBench(t *testing.T) {
	t.Parallel()
	change := func(_, r *side) {
		r.RemoteID, r.DPDDelay, r.Proposals = "%any", "1s", "aes256gcm16-prfsha256-x25519"
	}
	play(t, scene{change: change, ends: []pairing{{"ikejd", "charon"}}}, func(b *bed) {
		psk := filepath.Join(b.dir, "psk")
		if err := os.WriteFile(psk, []byte(sharedKey+"\n"), 0o600); err != nil {
			b.t.Fatal(err)
		}
		bench := func(while func(), args ...string) (l load) {
			b.t.Helper()
			args = append([]string{"netns", "exec", b.pair.left, filepath.Join(repository, "bin", "ikejd"), "bench",
				netip.AddrPortFrom(b.right.addr, 500).String(), "--psk-file", psk, "--sas", "4", "--outstanding", "2", "--json"}, args...)
			cmd := exec.Command("ip", args...)
			cmd.SysProcAttr = ours()
			done := make(chan struct{})
			go func() {
				defer close(done)
				while()
			}()
			out, err := cmd.Output()
			<-done
			if jsonErr := json.Unmarshal(out, &l); jsonErr != nil {
				b.t.Fatalf("%v %v\n%s", err, jsonErr, out)
			}
			if (err != nil) != (l.Peer.Deleted > 0) {
				b.t.Errorf("%v\n%s", err, out)
			}
			return l
		}
		held := func() {}
		if l := bench(held, "--hold", "3s"); l.Deleted.Done != 4 || l.Children != 4 || l.Peer.Answered < 4 || l.Peer.Refused+l.Peer.Deleted != 0 {
			b.t.Errorf("held: %+v", l)
		}
		if l := bench(held, "--hold", "1500ms", "--probe", "500ms", "--rate", "20/s"); l.Deleted.Done != 4 || l.Probed.Done < 8 || l.Probed.Done != l.Probed.Asked {
			b.t.Errorf("probed: %+v", l)
		}
		deletes := func() {
			until(b.t, 20*time.Second, "four SAs are up", func() bool { return len(b.sas(b.right)) == 4 }, b.list)
			b.swanctl(b.right, "--terminate", "--ike", "lab")
		}
		if l := bench(deletes, "--hold", "4s"); l.SetUp.Done != 4 || l.Peer.Deleted != 4 || l.Deleted.Asked != 0 {
			b.t.Errorf("deleted by the responder: %+v", l)
		}
	})
}
