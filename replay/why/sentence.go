package why

import (
	"fmt"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// Facts are what the sentence for a cause is made of. Which of them count follows from Cause.
type Facts struct {
	Cause  record.Cause
	Detail string // as recorded

	By       string        // who wanted it closed: operator, shutdown, …
	Sends    uint32        // of the Delete, or of Request
	Took     time.Duration // from the first send to the end
	Budget   time.Duration // of the shutdown
	Unsent   bool          // the Delete never had its turn
	Request  *Request      // ours without an answer; what a Delete waited behind
	Asked    uint32        // id of the peer's request
	Lingered time.Duration
	HalfOpen bool // it never was established
	BadAuth  bool // the keyring found the peer's AUTH bad
}

// Request is one of ours without an answer.
type Request struct {
	ID   uint32
	What string // liveness check, delete child12
}

// Sentence says in one sentence why an SA ended.
func Sentence(f Facts) string {
	switch f.Cause {
	case record.Cause_CAUSE_ACKNOWLEDGED:
		return fmt.Sprintf("We asked to delete it (%s); the peer answered in %s.", f.By, span(f.Took))
	case record.Cause_CAUSE_UNACKNOWLEDGED:
		if f.Unsent {
			return fmt.Sprintf("We wanted to delete it (%s), and gave up after %s: its Delete %s.", f.By, span(f.Took), behind(f.Request))
		}
		return fmt.Sprintf("We asked to delete it %s in %s; no answer came.", times(f.Sends), span(f.Took))
	case record.Cause_CAUSE_CUT_OFF:
		switch {
		case f.HalfOpen:
			return fmt.Sprintf("The shutdown budget of %s ended while it was being set up.", span(f.Budget))
		case f.Unsent:
			return fmt.Sprintf("The shutdown budget of %s ended while its Delete %s.", span(f.Budget), behind(f.Request))
		}
		return fmt.Sprintf("The shutdown budget of %s ended while its Delete had no answer, after %s.", span(f.Budget), replay.Count(uint64(f.Sends), "send"))
	case record.Cause_CAUSE_UNANSWERED:
		if f.Request == nil {
			return "The peer did not answer" + clause(f.Detail) + "."
		}
		return fmt.Sprintf("Request %d (%s) went out %s in %s and had no answer.", f.Request.ID, f.Request.What, times(f.Sends), span(f.Took))
	case record.Cause_CAUSE_PEER_ASKED:
		return fmt.Sprintf("The peer asked to delete it (request %d); we lingered %s for its repeats.", f.Asked, span(f.Lingered))
	case record.Cause_CAUSE_BOTH_AT_ONCE:
		return "We and the peer asked at the same time."
	case record.Cause_CAUSE_REPLACED:
		return fmt.Sprintf("It was rekeyed by %s: %s has its children.", f.By, plain(f.Detail))
	case record.Cause_CAUSE_SUPERSEDED:
		newer, _, _ := strings.Cut(f.Detail, " ")
		return fmt.Sprintf("%s came up between the same identities with INITIAL_CONTACT.", plain(newer))
	case record.Cause_CAUSE_REFUSED:
		return refused(f)
	case record.Cause_CAUSE_DAMAGED:
		detail := plain(f.Detail)
		if rest, ok := strings.CutPrefix(detail, "the peer answered "); ok {
			return "The peer answered " + rest + ", which ends an SA (RFC 7296 2.21.3)."
		}
		return "The peer sent a malformed request" + clause(detail) + ", which ends an SA (RFC 7296 2.21.3)."
	case record.Cause_CAUSE_NOT_RECOVERED:
		return "The restart could not take it over" + clause(f.Detail) + "."
	}
	return "The journal names no cause."
}

// refused tells a set-up that somebody refused from one that nobody finished.
func refused(f Facts) string {
	detail := plain(f.Detail)
	switch {
	case f.BadAuth:
		return "Authentication failed" + clause(detail) + "."
	case detail == "no IKE_AUTH came":
		return "It was half-open and timed out: no AUTH came."
	case strings.HasPrefix(detail, "the peer"):
		return "T" + detail[1:] + "."
	case detail == "":
		return "The set-up was refused."
	}
	return "The set-up failed" + clause(detail) + "."
}

// clause is a detail behind a colon; nothing for none.
func clause(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + plain(detail)
}

func behind(r *Request) string {
	if r == nil {
		return "still waited"
	}
	return fmt.Sprintf("waited behind request %d", r.ID)
}

func times(n uint32) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprint(n, " times")
}

// span is a time that has passed, rounded to what a person wants to know: 0.19s, 4.2s, 30s, 3m, 5h.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2gs", d.Round(10*time.Millisecond).Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.2gs", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%dh", int(d.Round(time.Hour).Hours()))
}

// plain is text that may have come from a peer or a library, without what could upset a terminal. What a peer chose
// stands in it in quotes already.
func plain(s string) string {
	const most = 200
	var out strings.Builder
	for _, r := range s {
		if out.Len() > most {
			out.WriteString("…")
			break
		}
		if r < 0x20 || r >= 0x7f {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
