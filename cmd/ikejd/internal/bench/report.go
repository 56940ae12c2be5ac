package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Report is what a run found.
type Report struct {
	HalfOpen bool // set up means IKE_SA_INIT answered
	SetUp    Phase
	Children int   // of the SAs set up, those with a Child SA
	Probe    Phase // of SAs that were held: liveness checks
	Delete   Phase
	Peer     Asked

	// CPU a set-up: this process's, and what HandshakeFloor took on the same cores at the same time.
	OwnCPU, Floor time.Duration
	// The responder's, where it was watched, and how much its memory grew, octets a set-up.
	Watched                 bool
	ResponderCPU            time.Duration
	Resident, RssAnon, Peak int64
}

// Phase is how one kind of exchange went, over all SAs.
type Phase struct {
	Asked    int // SAs; of probes these
	Took     time.Duration
	Resent   int            // datagrams
	Failures map[string]int // SAs, or probes, by reason
	waits    waits
}

// Done is how many went through.
func (p *Phase) Done() int { return p.waits.n }

// Unanswered is how many were given up because no answer came.
func (p *Phase) Unanswered() int { return p.Failures[errNoAnswer.Error()] }

func (p *Phase) failed() (n int) {
	for _, some := range p.Failures {
		n += some
	}
	return n
}

// Rate is SAs a second.
func (p *Phase) Rate() float64 {
	if p.Took == 0 {
		return 0
	}
	return float64(p.Done()) / p.Took.Seconds()
}

// Wait is how long all but a share 1-q of them waited at most, to one part in 64; q is 0 to 1, and of 1 it is exact.
func (p *Phase) Wait(q float64) time.Duration { return p.waits.quantile(q) }

// Failed is true when an SA did not go through.
func (r *Report) Failed() bool {
	return r.SetUp.Done() < r.SetUp.Asked || r.Probe.Done() < r.Probe.Asked || r.Delete.Done() < r.Delete.Asked || r.Peer.Deleted > 0
}

// Write prints it for people; brief is how the phases went and no more.
func (r *Report) Write(w io.Writer, brief bool) error {
	what := "set up"
	if r.HalfOpen {
		what = "half-open"
	}
	lines := r.SetUp.lines(what)
	if !brief && r.SetUp.Done() > 0 {
		lines = append(lines, r.cost()...)
	}
	if r.Probe.Asked > 0 {
		lines = append(lines, r.Probe.lines("probed")...)
	}
	if r.Peer.Deleted > 0 {
		lines = append(lines, fmt.Sprintf("%-10s%d: the responder deleted them", "lost", r.Peer.Deleted))
	}
	if !brief && r.Peer.Answered > 0 {
		lines = append(lines, fmt.Sprintf("%-10s%d requests of the responder: %d deleted a child alone, %d wanted a new SA and were refused", "answered",
			r.Peer.Answered, r.Peer.Children, r.Peer.Refused))
	}
	if r.Delete.Asked > 0 {
		lines = append(lines, r.Delete.lines("deleted")...)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// cost is what the set-ups took of the machine.
func (r *Report) cost() []string {
	var lines []string
	if !r.HalfOpen {
		lines = append(lines, fmt.Sprintf("%-10s%d", "children", r.Children))
	}
	line := fmt.Sprintf("%-10s%s an SA here", "cpu", micros(r.OwnCPU))
	if r.Floor > 0 {
		line += fmt.Sprintf("; %s for a handshake's cryptography alone at the same time", micros(r.Floor))
	}
	lines = append(lines, line)
	if r.Watched {
		line := fmt.Sprintf("%-10s%s an SA", "responder", micros(r.ResponderCPU))
		if r.Floor > 0 {
			line += fmt.Sprintf(", %.2f of that", float64(r.ResponderCPU)/float64(r.Floor))
		}
		lines = append(lines, line, fmt.Sprintf("%-10s%s resident an SA, %s of it anonymous; %s at the peak", "",
			kib(r.Resident), kib(r.RssAnon), kib(r.Peak)))
	}
	return lines
}

func (p *Phase) lines(what string) []string {
	lines := []string{
		fmt.Sprintf("%-10s%d of %d in %.2f s: %.0f/s, %d sent again, %d unanswered", what, p.Done(), p.Asked, p.Took.Seconds(), p.Rate(),
			p.Resent, p.Unanswered()),
		fmt.Sprintf("%-10sp50 %s  p90 %s  p99 %s  p99.9 %s  max %s", "", millis(p.Wait(.5)), millis(p.Wait(.9)), millis(p.Wait(.99)),
			millis(p.Wait(.999)), millis(p.Wait(1)))}
	for _, reason := range slices.Sorted(maps.Keys(p.Failures)) {
		lines = append(lines, fmt.Sprintf("%-10s%d: %s", "failed", p.Failures[reason], reason))
	}
	return lines
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f us", float64(d.Nanoseconds())/1e3) }
func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Nanoseconds())/1e6) }
func kib(octets int64) string       { return fmt.Sprintf("%.1f KiB", float64(octets)/1024) }
