package why_test

import (
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/why"
)

// Every cause has its sentence, exactly as REPLAY-UX.md has it.
func TestSentences(t *testing.T) {
	behind := &why.Request{ID: 41, What: "rekey child12"}
	for _, c := range []struct {
		facts why.Facts
		want  string
	}{
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
	} {
		if got := why.Sentence(c.facts); got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.facts.Cause, got, c.want)
		}
	}
}

// No cause of the schema is without a sentence.
func TestEveryCauseHasASentence(t *testing.T) {
	none := why.Sentence(why.Facts{})
	for n, name := range record.Cause_name {
		got := why.Sentence(why.Facts{Cause: record.Cause(n), Detail: "x", By: "x"})
		if (got == none) != (record.Cause(n) == record.Cause_CAUSE_NONE) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
