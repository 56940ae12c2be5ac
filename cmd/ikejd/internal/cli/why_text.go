package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay/why"
)

const (
	whatWidth = 42 // of a row, up to its edges
	mostWhat  = 64
	edgeWidth = 7 // of the first edge's kind
)

// whyText prints the verdict, then what proves it.
func (a *app) whyText(w io.Writer, answer *why.Answer, rules *judged) error {
	fmt.Fprintln(w, answer.Subject)
	if len(answer.Verdict) > 0 {
		fmt.Fprintln(w)
	}
	for _, sentence := range answer.Verdict {
		fmt.Fprintln(w, "  "+sentence)
	}
	if a.quiet {
		return nil
	}
	fmt.Fprintln(w)
	a.chain(w, answer.Rows)
	footer := func(label, said string) {
		if said != "" {
			fmt.Fprintf(w, "  %-13s%s\n", label, said)
		}
	}
	footer("but", answer.Ends)
	footer("not seen", strings.Join(answer.Absent, "; "))
	if answer.Here != "" {
		footer("left behind", fmt.Sprintf("here %s.  peer: %s", answer.Here, answer.Peer))
	}
	label := "peer's end"
	for _, said := range answer.There {
		footer(label, said)
		label = ""
	}
	if rules != nil {
		footer("rules", rules.String())
	}
	label = "next"
	for _, command := range answer.Next {
		if strings.HasSuffix(a.journal, ".ikej") && strings.Contains(command, " export ") {
			continue // that is what is being read
		}
		footer(label, command+a.sameJournal())
		label = ""
	}
	if rules != nil && len(rules.violations) > 0 {
		footer(label, "ikejd audit "+text.SA(rules.sa)+a.sameJournal())
	}
	if len(answer.Others) > 0 {
		fmt.Fprintln(w)
		fmt.Fprintln(w, "  others of that name")
		for _, sa := range answer.Others {
			fmt.Fprintf(w, "  %-6s  %-12s  %s\n", text.SA(sa.Number), a.clock(sa.Ended, 12), sa.Ending())
		}
	}
	return nil
}

// sameJournal lets a command that is to be pasted read the same journal.
func (a *app) sameJournal() string {
	if a.journal == "" {
		return ""
	}
	if strings.ContainsFunc(a.journal, func(r rune) bool { return !strings.ContainsRune(plainInShell, r) }) {
		return " --journal '" + strings.ReplaceAll(a.journal, "'", `'\''`) + "'"
	}
	return " --journal " + a.journal
}

const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@"

// chain prints rows in columns.
func (a *app) chain(w io.Writer, rows []why.Row) {
	digits, what := 0, whatWidth
	for _, row := range rows {
		digits = max(digits, len(strconv.FormatUint(row.Step, 10)))
		what = max(what, min(len(row.What), mostWhat))
	}
	for _, row := range rows {
		var edges []string
		for i, e := range row.Edges {
			width := edgeWidth
			if i > 0 {
				width = 0
			}
			edges = append(edges, e.String(width))
		}
		fmt.Fprintf(w, "  %*d  %s  %-*s  %s\n", digits, row.Step, text.Clock(row.Time, a.place()), what, row.What, strings.Join(edges, "   "))
	}
}

type whyJSON struct {
	V          int          `json:"v"`
	Type       string       `json:"type"`
	SA         string       `json:"sa,omitempty"`
	Child      string       `json:"child,omitempty"`
	Cause      string       `json:"cause,omitempty"`
	Subject    string       `json:"subject"`
	Verdict    []string     `json:"verdict"`
	Chain      []rowJSON    `json:"chain"`
	Ends       string       `json:"ends,omitempty"`
	Absent     []string     `json:"absent"`
	LeftBehind *leftJSON    `json:"leftBehind,omitempty"`
	There      []string     `json:"there,omitempty"`
	Rules      *judgedJSON  `json:"rules,omitempty"`
	Parts      []partJSON   `json:"parts,omitempty"`
	Next       []string     `json:"next"`
	Others     []listedJSON `json:"others,omitempty"`
}

type rowJSON struct {
	Step uint64 `json:"step"`
	Time string `json:"time"`
	Edge string `json:"edge"`
	To   uint64 `json:"to,omitempty"`
	Root string `json:"root,omitempty"`
	What string `json:"what"`
}

// partJSON is what one of two SAs did where they part; without a step nothing more happened to it.
type partJSON struct {
	SA   string `json:"sa"`
	Step uint64 `json:"step,omitempty"`
	Time string `json:"time,omitempty"`
	What string `json:"what"`
}

type leftJSON struct {
	Here string `json:"here"`
	Peer string `json:"peer"`
}

func answerJSON(answer *why.Answer, rules *judged) whyJSON {
	line := whyJSON{V: 1, Type: "why", Subject: answer.Subject, Verdict: answer.Verdict, Chain: []rowJSON{}, Ends: answer.Ends,
		Absent: append([]string{}, answer.Absent...), There: answer.There, Next: answer.Next}
	if answer.SA != nil {
		line.SA = text.SA(answer.SA.Number)
	}
	if answer.Child != 0 {
		line.Child = text.Child(answer.Child)
	}
	if answer.Cause != record.Cause_CAUSE_NONE {
		line.Cause = causeJSON(answer.Cause)
	}
	if answer.Here != "" {
		line.LeftBehind = &leftJSON{answer.Here, answer.Peer}
	}
	for _, row := range answer.Rows {
		for _, e := range row.Edges {
			r := rowJSON{Step: row.Step, Time: rfc3339(row.Time), Edge: text.Edge(e.Kind), To: e.To, What: row.What}
			if e.To == 0 {
				r.Root = text.Root(e.Root)
			}
			line.Chain = append(line.Chain, r)
		}
	}
	if rules != nil {
		line.Rules = rules.json()
	}
	for _, p := range answer.Parts {
		line.Parts = append(line.Parts, partJSON{text.SA(p.SA), p.Step, rfc3339(p.Time), p.What})
	}
	for _, sa := range answer.Others {
		line.Others = append(line.Others, listed(sa))
	}
	return line
}
