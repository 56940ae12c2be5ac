package mini

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

var causes = map[string]record.Cause{"acked": record.Cause_CAUSE_ACKNOWLEDGED, "unack": record.Cause_CAUSE_UNACKNOWLEDGED, "cutoff": record.Cause_CAUSE_CUT_OFF,
	"gave-up": record.Cause_CAUSE_UNANSWERED, "peer": record.Cause_CAUSE_PEER_ASKED, "both": record.Cause_CAUSE_BOTH_AT_ONCE, "replaced": record.Cause_CAUSE_REPLACED,
	"superseded": record.Cause_CAUSE_SUPERSEDED, "refused": record.Cause_CAUSE_REFUSED, "syntax": record.Cause_CAUSE_DAMAGED, "lost": record.Cause_CAUSE_NOT_RECOVERED,
	"none": record.Cause_CAUSE_NONE}

var wishes = map[string]record.Wish{"init": record.Wish_WISH_INIT, "auth": record.Wish_WISH_AUTH, "liveness": record.Wish_WISH_LIVENESS,
	"delete-ike": record.Wish_WISH_DELETE_IKE, "delete-child": record.Wish_WISH_DELETE_CHILD, "refuse-auth": record.Wish_WISH_REFUSE_AUTH,
	"create-child": record.Wish_WISH_CREATE_CHILD, "rekey-child": record.Wish_WISH_REKEY_CHILD, "rekey-ike": record.Wish_WISH_REKEY_IKE}

// orders is an effect that is no message.
func (b *builder) orders(w word) error {
	if w.name == "report" || w.name == "refuse" || w.name == "?" {
		return b.outside(w)
	}
	if b.s == nil {
		return fmt.Errorf("%s without an SA", w.name)
	}
	switch w.name {
	case "!Half":
		b.changed(record.Phase_PHASE_HALF_OPEN, 0)
	case "!Est":
		b.changed(record.Phase_PHASE_ESTABLISHED, 0)
	case "!Del":
		b.changed(record.Phase_PHASE_DELETING, 0)
	case "!Ling":
		return b.lingers(w)
	case "!Gone":
		return b.discards(w)
	case "child":
		return b.childWord(w)
	case "-k":
		return b.kernelRemoves(w)
	case "-key":
		key := b.s.key
		if n, err := strconv.ParseUint(w.arg(0), 10, 64); err == nil {
			key = n
		}
		b.add("destroy", &record.Effect{Kind: &record.Effect_DestroyKeys{DestroyKeys: &record.DestroyKeys{KeyRef: key}}})
	case "ask":
		return b.ask(w.args)
	case "want":
		b.want(wishes[w.arg(0)], w.arg(1) == "behind")
	case "drop":
		i := slices.IndexFunc(b.s.wishes, func(q wish) bool { return q.wish == wishes[w.arg(0)] })
		if i < 0 {
			return fmt.Errorf("no wish %s waits", w.arg(0))
		}
		b.add("dropped", &record.Effect{Because: edge(record.Edge_EDGE_SERVES, b.s.wishes[i].at), Kind: &record.Effect_Dropped{Dropped: &record.Dropped{Cause: "target gone"}}})
		b.s.wishes = slices.Delete(b.s.wishes, i, i+1)
	case "A":
		seconds, err := strconv.ParseFloat(w.arg(1), 64)
		if err != nil {
			return fmt.Errorf("A(%s) wants a timer and seconds", strings.Join(w.args, " "))
		}
		b.arm(timerNames[w.arg(0)], int64(seconds*float64(time.Second)))
	case "disarm":
		kind := timerNames[w.arg(0)]
		if kind == record.Timer_TIMER_RETRANSMIT {
			for _, r := range b.s.open {
				b.cancel(r)
			}
			return nil
		}
		b.disarm(kind)
	default:
		return fmt.Errorf("%q is no word of a mini journal", w.name)
	}
	return nil
}

// outside is an effect that is about no SA, or that says the event changes nothing.
func (b *builder) outside(w word) error {
	switch w.name {
	case "?":
		why := strings.Join(w.args, " ")
		b.add("dropped", &record.Effect{Kind: &record.Effect_Dropped{Dropped: &record.Dropped{Cause: why}}})
	case "refuse":
		b.r.Effects = append(b.r.Effects, &record.Effect{Kind: &record.Effect_Refuse{Refuse: &record.Refuse{Notify: uint32(notifies[w.arg(0)]), Data: made(20, "cookie"),
			Exchange: uint32(ike.IKE_SA_INIT), Path: b.path(w)}}})
	case "report":
		r := &record.Report{Took: uint64(time.Second)}
		counts := map[record.Cause]uint64{}
		for c, n := range b.tally {
			counts[c] = n
		}
		for _, arg := range w.args {
			name, n, _ := strings.Cut(arg, "=")
			counts[causes[name]], _ = strconv.ParseUint(n, 10, 64)
		}
		for c := record.Cause_CAUSE_NONE; c <= record.Cause_CAUSE_NOT_RECOVERED; c++ {
			if counts[c] > 0 {
				r.Counts = append(r.Counts, &record.ReportCount{Cause: c, Count: counts[c]})
			}
		}
		b.add("report", &record.Effect{Kind: &record.Effect_Report{Report: r}})
	}
	return nil
}

func (b *builder) arm(kind record.Timer, wait int64) {
	deadline := b.now + wait
	at := b.add("timer", &record.Effect{Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: kind, Deadline: uint64(deadline)}}})
	if at.step != 0 {
		b.s.timers[kind] = timer{at, deadline}
	}
}

func (b *builder) disarm(kind record.Timer) {
	if _, armed := b.s.timers[kind]; armed {
		b.add("cancel", &record.Effect{Kind: &record.Effect_CancelTimer{CancelTimer: &record.CancelTimer{Timer: kind}}})
		delete(b.s.timers, kind)
	}
}
