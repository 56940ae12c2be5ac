package why_test

import (
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/why"
)

// The sentences, exactly as REPLAY-UX.md has them; below them what else may be known of a cause.
func sentences() []sentence {
	behind := &why.Request{ID: 41, What: "rekey child12"}
	return []sentence{
		{why.Facts{Cause: record.Cause_CAUSE_ACKNOWLEDGED, By: "operator", Took: 190 * time.Millisecond},
			"We asked to delete it (operator); the peer answered in 0.19s."},
		{why.Facts{Cause: record.Cause_CAUSE_UNACKNOWLEDGED, Sends: 12, Took: 3 * time.Minute},
			"We asked to delete it 12 times in 3m; no answer came."},
		{why.Facts{Cause: record.Cause_CAUSE_CUT_OFF, Budget: 30 * time.Second, Unsent: true, Request: behind},
			"The shutdown budget of 30s ended while its Delete waited behind request 41."},
		{why.Facts{Cause: record.Cause_CAUSE_UNANSWERED, Request: behind, Sends: 12, Took: 3 * time.Minute},
			"Request 41 (rekey child12) went out 12 times in 3m and had no answer."},
		{why.Facts{Cause: record.Cause_CAUSE_PEER_ASKED, Asked: 7, Lingered: 30 * time.Second},
			"The peer asked to delete it (request 7); we lingered 30s for its repeats."},
		{why.Facts{Cause: record.Cause_CAUSE_BOTH_AT_ONCE}, "We and the peer asked at the same time."},
		{why.Facts{Cause: record.Cause_CAUSE_REPLACED, By: "the peer", Detail: "ike12"}, "It was rekeyed by the peer: ike12 has its children."},
		{why.Facts{Cause: record.Cause_CAUSE_SUPERSEDED, Detail: "ike15 came up with INITIAL_CONTACT"},
			"ike15 came up between the same identities with INITIAL_CONTACT."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, BadAuth: true, Detail: `no shared key for "east.example"`},
			`Authentication failed: no shared key for "east.example".`},
		{why.Facts{Cause: record.Cause_CAUSE_DAMAGED, Detail: "the peer answered INVALID_SYNTAX to request 3"},
			"The peer answered INVALID_SYNTAX to request 3, which ends an SA (RFC 7296 2.21.3)."},
		{why.Facts{Cause: record.Cause_CAUSE_NOT_RECOVERED, Detail: "its keys were not in the vault"},
			"The restart could not take it over: its keys were not in the vault."},

		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "no IKE_AUTH came", HalfOpen: true}, "It was half-open and timed out: no AUTH came."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "the peer answered NO_PROPOSAL_CHOSEN"}, "The peer answered NO_PROPOSAL_CHOSEN."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "closed before IKE_AUTH"}, "The set-up failed: closed before IKE_AUTH."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED}, "The set-up was refused."},
		{why.Facts{Cause: record.Cause_CAUSE_CUT_OFF, Budget: 30 * time.Second, Sends: 18},
			"The shutdown budget of 30s ended while its Delete had no answer, after 18 sends."},
		{why.Facts{Cause: record.Cause_CAUSE_CUT_OFF, Budget: 30 * time.Second, HalfOpen: true},
			"The shutdown budget of 30s ended while it was being set up."},
		{why.Facts{Cause: record.Cause_CAUSE_UNACKNOWLEDGED, By: "operator", Unsent: true, Took: 20 * time.Minute, Request: behind},
			"We wanted to delete it (operator), and gave up after 20m: its Delete waited behind request 41."},
		{why.Facts{Cause: record.Cause_CAUSE_NOT_RECOVERED, Detail: "this binary decides step 7 otherwise"},
			"The restart could not take it over: this binary decides step 7 otherwise."},
		{why.Facts{Cause: record.Cause_CAUSE_DAMAGED, Detail: "SA malformed"},
			"The peer sent a malformed request: SA malformed, which ends an SA (RFC 7296 2.21.3)."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, BadAuth: true, Detail: "\x1b[31mred"}, `Authentication failed: \u001b[31mred.`},
	}
}

type sentence struct {
	facts why.Facts
	want  string
}

func TestSentences(t *testing.T) {
	for _, c := range sentences() {
		if got := why.Sentence(c.facts); got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.facts.Cause, got, c.want)
		}
	}
}

// No cause of the schema is without a sentence of its own, nor without a row above.
func TestEveryCauseHasASentence(t *testing.T) {
	rows := map[record.Cause]int{}
	for _, c := range sentences() {
		rows[c.facts.Cause]++
	}
	none := why.Sentence(why.Facts{})
	for n, name := range record.Cause_name {
		cause := record.Cause(n)
		if cause == record.Cause_CAUSE_NONE {
			continue
		}
		if rows[cause] == 0 {
			t.Errorf("%s: no sentence is tested", name)
		}
		if why.Sentence(why.Facts{Cause: cause, Detail: "x", By: "x"}) == none {
			t.Errorf("%s: %s", name, none)
		}
	}
}

// Each detail with which the reducer ends an SA makes a sentence that can be read.
func TestDetails(t *testing.T) {
	for _, c := range []sentence{
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "IKE_AUTH was not answered in time", HalfOpen: true}, "The set-up failed: IKE_AUTH was not answered in time."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "the peer did not accept us: AUTHENTICATION_FAILED"},
			"The peer did not accept us: AUTHENTICATION_FAILED."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: "the peer's IKE_AUTH response has no IDr or no AUTH"},
			"The peer's IKE_AUTH response has no IDr or no AUTH."},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: `no connection for "x"`}, `The set-up failed: no connection for "x".`},
		{why.Facts{Cause: record.Cause_CAUSE_REFUSED, Detail: `the peer calls itself "x", which the connection does not expect`},
			`The peer calls itself "x", which the connection does not expect.`},
		{why.Facts{Cause: record.Cause_CAUSE_DAMAGED, Detail: "Delete payload cut short"},
			"The peer sent a malformed request: Delete payload cut short, which ends an SA (RFC 7296 2.21.3)."},
		{why.Facts{Cause: record.Cause_CAUSE_UNANSWERED, Detail: "no answer to IKE_SA_INIT"}, "The peer did not answer: no answer to IKE_SA_INIT."},
		{why.Facts{Cause: record.Cause_CAUSE_UNACKNOWLEDGED, By: "operator", Unsent: true, Took: time.Minute},
			"We wanted to delete it (operator), and gave up after 60s: its Delete still waited."},
		{why.Facts{Cause: record.Cause_CAUSE_NOT_RECOVERED, Detail: "this binary decides otherwise"}, "The restart could not take it over: this binary decides otherwise."},
		{why.Facts{Cause: record.Cause_CAUSE_REPLACED, By: "us", Detail: "ike12"}, "It was rekeyed by us: ike12 has its children."},
	} {
		if got := why.Sentence(c.facts); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.facts.Detail, got, c.want)
		}
	}
}
