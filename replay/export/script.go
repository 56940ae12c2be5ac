package export

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Script writes what happened to the SAs as a subtest for reducer/testdata, told in the commands of its scripts. SAs and
// children are numbered anew, in the order they came; what comes of each command is for `go test ./reducer -rewrite` to
// fill in, and for a person to judge. sas must be SAs that begin in the journal.
func Script(ctx context.Context, w io.Writer, src replay.Source, sas []*replay.SA, r Range) error {
	s := script{sas: map[uint64]uint64{}, children: map[uint64]uint64{}}
	var names []string
	for _, sa := range sas {
		if len(sa.Entered) == 0 || sa.Entered[0].Step != sa.First {
			return &replay.NotThere{What: fmt.Sprintf("%s was there before this journal begins, and a test needs its beginning; try: ikejd journal ls", text.SA(sa.Number))}
		}
		names = append(names, text.SA(sa.Number))
	}
	snapshot, err := replay.Snapshot(src, src.First())
	if err != nil {
		return err
	}
	s.config = snapshot.GetConfig()
	fmt.Fprintf(&s.out, "# Steps %d to %d of a journal, what they have of %s. `go test ./reducer -rewrite` fills in what comes of it.\n\n",
		r.First, r.Last, strings.Join(names, ", "))
	s.out.WriteString("subtest exported\n\n")
	for rec, err := range replay.Records(src, 0) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if rec.GetStep() > r.Last {
			break
		}
		s.step(rec, sas)
	}
	s.settle()
	s.out.WriteString("subtest end\n")
	_, err = io.WriteString(w, s.out.String())
	return err
}

type script struct {
	out      strings.Builder
	config   *record.Config // loaded and not yet said
	inForce  string         // as it was said
	sas      map[uint64]uint64
	children map[uint64]uint64
	now      int64
	fired    string // a timer that fired again and again, and how often
	times    int
}

// put adds a command. A timer that fires several times in a row is one.
func (s *script) put(command string) {
	if command == s.fired {
		s.times++
		return
	}
	s.settle()
	if strings.HasPrefix(command, "fire ") {
		s.fired, s.times = command, 1
		return
	}
	s.block(command)
}

// settle writes the timers that were held back.
func (s *script) settle() {
	switch {
	case s.times == 1:
		s.block(s.fired)
	case s.times > 1:
		s.block(fmt.Sprintf("%s times=%d", s.fired, s.times))
	}
	s.fired, s.times = "", 0
}

func (s *script) block(command string) {
	fmt.Fprintf(&s.out, "%s\n----\n\n", strings.TrimRight(command, "\n"))
}

// step tells one step, if it is about one of the SAs.
func (s *script) step(r *record.Record, sas []*replay.SA) {
	if c := r.GetEvent().GetConfigLoaded(); c != nil {
		s.config = c.GetConfig()
	}
	about := false
	for _, number := range replay.About(r) {
		if slices.ContainsFunc(sas, func(sa *replay.SA) bool { return sa.Number == number }) {
			about = true
			if s.sas[number] == 0 {
				s.sas[number] = uint64(len(s.sas) + 1)
			}
		}
	}
	if !about {
		return
	}
	for _, e := range r.GetEffects() {
		if child := e.GetChildSa(); child != 0 && s.sas[e.GetIkeSa()] != 0 && s.children[child] == 0 {
			s.children[child] = uint64(len(s.children) + 1)
		}
	}
	command := s.command(r)
	if command == "" {
		return
	}
	if s.config != nil {
		if now := configured(s.config); now != s.inForce {
			s.put(now)
			s.inForce = now
		}
		s.config = nil
	}
	if now := int64(r.GetTime()); s.now != 0 && now > s.now && r.GetEvent().GetTimerFired() == nil {
		s.put("advance " + time.Duration(now-s.now).String())
	}
	s.now = int64(r.GetTime())
	s.put(command)
}

// command is the event as a script says it; empty for one that changed nothing.
func (s *script) command(r *record.Record) string {
	ev := r.GetEvent()
	sa := text.SA(s.sas[ev.GetIkeSa()])
	switch k := ev.GetKind().(type) {
	case *record.Event_InitiateAsked:
		return words("initiate", underscored(k.InitiateAsked.GetConnection()), set("child", underscored(k.InitiateAsked.GetChild())),
			set("failed", underscored(k.InitiateAsked.GetFailure())))
	case *record.Event_HintReceived:
		return words("hint", sa)
	case *record.Event_KeyShareMade:
		return words("share-made", sa, set("failed", underscored(k.KeyShareMade.GetFailure())))
	case *record.Event_Agreed:
		return words("agreed", sa, set("failed", underscored(k.Agreed.GetFailure())))
	case *record.Event_AuthMade:
		return words("auth-made", sa, set("failed", underscored(k.AuthMade.GetFailure())), map[bool]string{true: "met"}[k.AuthMade.GetMet()])
	case *record.Event_Authenticated:
		bad := ""
		if !k.Authenticated.GetGood() {
			bad = underscored(k.Authenticated.GetReason())
		}
		return words("authenticated", sa, set("bad", bad), set("others", s.names(k.Authenticated.GetOthers())))
	case *record.Event_SpiAllocated:
		return words("spi-allocated", sa, set("failed", underscored(k.SpiAllocated.GetFailure())))
	case *record.Event_ChildInstalled:
		return words("child-installed", sa, set("refused", underscored(k.ChildInstalled.GetRefusal())))
	case *record.Event_ChildRemoved:
		return words("child-removed", set("refused", underscored(k.ChildRemoved.GetRefusal())), map[bool]string{true: "held"}[k.ChildRemoved.GetHeld()])
	case *record.Event_CloseAsked:
		return words("close", sa, s.child(k.CloseAsked.GetChildSa()))
	case *record.Event_RekeyAsked:
		return words("rekey", sa, s.child(k.RekeyAsked.GetChildSa()))
	case *record.Event_ShutdownAsked:
		return words("shutdown", set("budget", time.Duration(k.ShutdownAsked.GetBudget()).String()), map[bool]string{true: "keep"}[k.ShutdownAsked.GetKeep()])
	case *record.Event_Recovered:
		return words("restart", set("without-keys", s.names(k.Recovered.GetWithoutKeys())), set("diverged", s.names(k.Recovered.GetDiverged())))
	case *record.Event_RepeatReceived:
		return words("repeat", sa, fmt.Sprint(k.RepeatReceived.GetMessageId()))
	case *record.Event_TimerFired:
		if ev.GetIkeSa() == 0 {
			return words("fire", text.Timer(k.TimerFired.GetTimer()))
		}
		if slices.ContainsFunc(r.GetEffects(), func(e *record.Effect) bool { return e.GetDropped() != nil }) {
			return "" // it was stale
		}
		return words("fire", sa, text.Timer(k.TimerFired.GetTimer()))
	case *record.Event_DatagramReceived:
		return s.received(ev.GetIkeSa(), k.DatagramReceived)
	}
	return ""
}

func (s *script) received(number uint64, d *record.DatagramReceived) string {
	h, err := ike.ParseHeader(d.GetDatagram())
	if err != nil {
		return ""
	}
	message, ok := said(d, h)
	verb := "peer-asks"
	if h.Response() {
		verb = "answer"
	}
	who := ""
	if number != 0 && s.sas[number] != 0 {
		who = text.SA(s.sas[number])
	}
	command := words(verb, who, fmt.Sprint(h.MessageID), h.Exchange.String(), message)
	if !ok {
		s.settle()
		fmt.Fprintf(&s.out, "# A message that cannot be parsed stood here: %s\n\n", command)
		return ""
	}
	return command
}

// names are those of the SAs that the script has.
func (s *script) names(numbers []uint64) string {
	var all []string
	for _, n := range numbers {
		if s.sas[n] != 0 {
			all = append(all, text.SA(s.sas[n]))
		}
	}
	return strings.Join(all, ",")
}

func set(key, value string) string {
	if value == "" {
		return ""
	}
	return key + "=" + value
}

func words(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(w string) bool { return w == "" }), " ")
}

// child is the Child SA's name in the script; of none, or one that is not in it, it is empty.
func (s *script) child(number uint64) string {
	if n := s.children[number]; n != 0 {
		return text.Child(n)
	}
	return ""
}
