package text

import (
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// nameWidth is the first column of an effect or a change.
const nameWidth = 14

// Effect is what a step ordered, in one line; deadlines are said relative to now, the step's time:
// `set-timer     ike7 discard 30s`.
func Effect(e *record.Effect, now int64) string {
	if k, ok := e.GetKind().(*record.Effect_Changed); ok {
		return changed(e, k.Changed)
	}
	name, rest := ordered(e, now)
	who := ""
	if e.GetIkeSa() != 0 {
		who = SA(e.GetIkeSa())
	}
	return line(name, words(who, rest))
}

// line is a name in its column, and what is said of it.
func line(name, rest string) string {
	return strings.TrimRight(name+strings.Repeat(" ", max(nameWidth-len(name), 1))+rest, " ")
}

func ordered(e *record.Effect, now int64) (name, rest string) {
	switch k := e.GetKind().(type) {
	case *record.Effect_Record:
		return "record", Recorded(k.Record)
	case *record.Effect_Resend:
		return "resend", words(direction(k.Resend.GetResponse()), decimal(k.Resend.GetMessageId()), " send", decimal(k.Resend.GetSends())) + recordedAt(e)
	case *record.Effect_Refuse:
		r := k.Refuse
		return "refuse", words(ike.ExchangeType(r.GetExchange()).String(), "{N("+ike.NotifyType(r.GetNotify()).String()+")}", "to",
			endpoint(r.GetPath().GetRemote(), r.GetPath().GetRemotePort()))
	case *record.Effect_SetTimer:
		return "set-timer", words(Timer(k.SetTimer.GetTimer()), Duration(int64(k.SetTimer.GetDeadline())-now))
	case *record.Effect_CancelTimer:
		return "cancel-timer", Timer(k.CancelTimer.GetTimer())
	case *record.Effect_MakeKeyShare:
		return "make-share", ike.Group(k.MakeKeyShare.GetGroup()).String()
	case *record.Effect_Agree:
		return "agree", Suite(k.Agree.GetSuite())
	case *record.Effect_MakeAuth:
		return "make-auth", words("as", Identity(k.MakeAuth.GetLocalId()), "to", Identity(k.MakeAuth.GetRemoteId()))
	case *record.Effect_CheckAuth:
		return "check-auth", words("of", Identity(k.CheckAuth.GetRemoteId()), ike.AuthMethod(k.CheckAuth.GetMethod()).String())
	case *record.Effect_AllocateSpi:
		return "allocate-spi", Child(e.GetChildSa())
	case *record.Effect_InstallChild:
		return "install-child", installed(e, k.InstallChild)
	case *record.Effect_RemoveChild:
		return "remove-child", words(Child(e.GetChildSa()), halves(k.RemoveChild.GetInboundSpi(), k.RemoveChild.GetOutboundSpi()))
	case *record.Effect_DestroyKeys:
		return "destroy-keys", ""
	case *record.Effect_Answer:
		if k.Answer.GetError() == "" {
			return "answer", words("ticket", decimal(k.Answer.GetTicket()), "done")
		}
		return "answer", words("ticket", decimal(k.Answer.GetTicket()), Quote(k.Answer.GetError()))
	case *record.Effect_Wanted:
		child := ""
		if e.GetChildSa() != 0 {
			child = Child(e.GetChildSa())
		}
		return "wanted", words(Wish(k.Wanted.GetWish()), child, edgeTo(k.Wanted.GetDecided()), edgeTo(e.GetBecause()))
	case *record.Effect_Discarded:
		return "discarded", discarded(k.Discarded)
	case *record.Effect_Report:
		return "report", Report(k.Report)
	case *record.Effect_Dropped:
		return "dropped", Quote(k.Dropped.GetCause())
	case *record.Effect_Locate:
		return "locate", words(Name(k.Locate.GetConnection()), Name(k.Locate.GetChild()))
	}
	return "unknown", "effect of a later version"
}

// recordedAt is the step that recorded what a resend sends again.
func recordedAt(e *record.Effect) string { return "  of " + decimal(e.GetBecause().GetStep()) }

// Recorded is `request 3 INFORMATIONAL {D(IKE)}`.
func Recorded(m *record.RecordMessage) string {
	h := ike.Header{Exchange: ike.ExchangeType(m.GetExchange()), MessageID: m.GetMessageId()}
	if m.GetResponse() {
		h.Flags = ike.FlagResponse
	}
	return Message(h, ike.PayloadType(m.GetFirstPayload()), m.GetPayloads())
}

// changed is a phase that changed, written as the change of the State that it is.
func changed(e *record.Effect, c *record.Changed) string {
	cause := ""
	if c.GetCause() != record.Cause_CAUSE_NONE {
		cause = " " + Cause(c.GetCause())
	}
	detail := ""
	if c.GetDetail() != "" {
		detail = Quote(c.GetDetail())
	}
	if from := c.GetPredecessor(); from != 0 {
		detail = "from " + SA(from)
	}
	if e.GetChildSa() != 0 {
		return line(Child(e.GetChildSa())+".state", words(ChildPhase(c.GetChildFrom())+" -> "+ChildPhase(c.GetChildTo()), cause, detail))
	}
	return line(SA(e.GetIkeSa())+".state", words(Phase(c.GetFrom())+" -> "+Phase(c.GetTo()), cause, detail))
}

func installed(e *record.Effect, c *record.InstallChild) string {
	mode := "tunnel"
	if c.GetTransportMode() {
		mode = "transport"
	}
	return words(Child(e.GetChildSa()), Name(c.GetName()), halves(c.GetInboundSpi(), c.GetOutboundSpi()), mode, Suite(c.GetSuite()),
		Selectors(c.GetLocalTs()), "===", Selectors(c.GetRemoteTs()))
}

func halves(inbound, outbound uint32) string {
	both := ""
	if inbound != 0 {
		both = "in " + spi(inbound)
	}
	if outbound != 0 {
		both = words(both, "out "+spi(outbound))
	}
	return both
}

// discarded is the evidence with which an IKE SA ended.
func discarded(d *record.Discarded) string {
	detail := ""
	if d.GetDetail() != "" {
		detail = Quote(d.GetDetail())
	}
	parts := []string{words("from", Phase(d.GetFrom())+",", Cause(d.GetCause()), detail)}
	if children := listed("with", d.GetChildren(), Child); children != "" {
		parts = append(parts, children)
	}
	for _, open := range d.GetUnfinished() {
		parts = append(parts, words("unanswered", decimal(open.GetMessageId()), Wish(open.GetWish())+",", plural(int(open.GetSends()), "send")))
	}
	for _, wish := range d.GetDropped() {
		parts = append(parts, "never sent "+Wish(wish))
	}
	return strings.Join(parts, "; ")
}

// Report is how a shutdown ended: `412 SAs: 409 acknowledged, 3 cut off, in 2.1s`.
func Report(r *record.Report) string {
	total := uint64(0)
	var parts []string
	for _, c := range r.GetCounts() {
		total += c.GetCount()
		parts = append(parts, decimal(c.GetCount())+" "+Cause(c.GetCause()))
	}
	sums := ""
	if len(parts) > 0 {
		sums = ": " + strings.Join(parts, ", ")
	}
	return plural(int(total), "SA") + sums + ", in " + Duration(int64(r.GetTook()))
}
