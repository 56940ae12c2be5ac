package why_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
	"github.com/ikejd/ikejd/replay/why"
)

// across is the journal of the end across from a script's, whose clock is ahead. It has what the test says arrived there,
// and answered with what the script received, or with something else where that was lost.
type across struct {
	t     *testing.T
	s     *replaytest.Script
	ahead time.Duration
	steps replaytest.Memory
	made  map[uint32]*record.Because // the answers by message id
}

const itsSA = 9

func (a *across) step(at time.Time, ev *record.Event, datagram []byte, effects ...*record.Effect) {
	a.t.Helper()
	n := a.steps.End.Step + 1
	r := &record.Record{Step: n, Time: uint64(at.Add(a.ahead).UnixNano()), Event: ev, Effects: effects}
	if datagram != nil {
		r.Datagrams = [][]byte{datagram}
	}
	b, err := record.Marshal(r)
	if err != nil {
		a.t.Fatal(err)
	}
	a.steps.Steps = append(a.steps.Steps, journal.Entry{Step: n, Data: b})
	a.steps.End = journal.Position{Step: n, Time: int64(r.GetTime())}
}

// request is the datagram of the script's request of ike1 with that id, and when each of its sends left.
func (a *across) request(id uint32) (datagram []byte, sent []time.Time) {
	a.t.Helper()
	for _, r := range a.s.Records() {
		for i, e := range r.GetEffects() {
			if m := e.GetRecord(); m != nil && !m.GetResponse() && m.GetMessageId() == id {
				datagram = replay.Datagrams(r)[i]
				sent = append(sent, time.Unix(0, int64(r.GetTime())))
			}
			if again := e.GetResend(); again != nil && !again.GetResponse() && again.GetMessageId() == id {
				sent = append(sent, time.Unix(0, int64(r.GetTime())))
			}
		}
	}
	if datagram == nil {
		a.t.Fatalf("the script has no request %d", id)
	}
	return datagram, sent
}

// answer is what the script received for it; nothing of that where it received nothing.
func (a *across) answer(id uint32) []byte {
	for _, r := range a.s.Records() {
		d := r.GetEvent().GetDatagramReceived()
		if h, err := ike.ParseHeader(d.GetDatagram()); err == nil && h.Response() && h.MessageID == id {
			return d.GetDatagram()
		}
	}
	return []byte("an answer that was lost")
}

// takes has the request's sends with these numbers (1 is the first) arrive, a millisecond on the way, and each answered.
func (a *across) takes(id uint32, answers bool, numbers ...int) {
	a.t.Helper()
	datagram, sent := a.request(id)
	for _, n := range numbers {
		at := sent[n-1].Add(time.Millisecond)
		digest := reducer.Digest(datagram)
		if made := a.made[id]; made != nil {
			a.step(at, &record.Event{IkeSa: itsSA, Kind: &record.Event_RepeatReceived{RepeatReceived: &record.RepeatReceived{MessageId: id, Digest: digest}}}, nil,
				&record.Effect{IkeSa: itsSA, Because: made, Kind: &record.Effect_Resend{Resend: &record.Resend{MessageId: id, Response: true}}})
			continue
		}
		var effects []*record.Effect
		if a.steps.End.Step == 0 {
			h, err := ike.ParseHeader(a.answer(0))
			if err != nil {
				a.t.Fatal(err)
			}
			effects = append(effects, &record.Effect{IkeSa: itsSA, Kind: &record.Effect_Changed{Changed: &record.Changed{To: record.Phase_PHASE_HALF_OPEN,
				Connection: "gw-us", SpiI: h.SPIi, SpiR: h.SPIr}}})
		}
		var sealed []byte
		if answers {
			sealed = a.answer(id)
			effects = append(effects, &record.Effect{IkeSa: itsSA, Kind: &record.Effect_Record{Record: &record.RecordMessage{MessageId: id, Response: true}}})
			a.made[id] = &record.Because{Step: a.steps.End.Step + 1, Index: uint32(len(effects) - 1)}
		}
		a.step(at, &record.Event{IkeSa: itsSA, Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{Datagram: datagram, Digest: digest}}},
			sealed, effects...)
	}
}

// Both ends' journals say where each datagram was lost.
func TestWith(t *testing.T) {
	for _, ahead := range []time.Duration{0, 400 * time.Millisecond, -time.Hour} {
		s := replaytest.New(t)
		s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
		one := s.Initiate("gw-east")
		s.Wait(4 * time.Millisecond) // of which a way there takes one
		s.AnswerInit(one)
		s.Wait(4 * time.Millisecond)
		s.AnswerAuth(one)
		s.Authenticated(one, "")
		s.Installed(one, "")
		s.Wait(10 * time.Second)
		s.Close(one)
		for range 5 {
			s.Fire(one, record.Timer_TIMER_RETRANSMIT)
		}
		s.GiveUp(one)
		src := s.Source()
		c, err := replay.List(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			name string
			play func(a *across)
			want []string
		}{
			{"lost on the way back", func(a *across) { a.takes(2, true, 2, 5) },
				[]string{"request 2: the peer received sends 2 and 5 and answered each; none arrived here: lost on the way back"}},
			{"lost on the way there", func(*across) {}, []string{"request 2: the peer received none of 12 sends: lost on the way there"}},
			{"not answered", func(a *across) { a.takes(2, false, 3) }, []string{"request 2: the peer received send 3 and did not answer"}},
			{"asks in vain", func(a *across) {
				a.takes(2, true, 1)
				a.step(s.Now(), &record.Event{}, []byte("its Delete"), &record.Effect{IkeSa: itsSA, Kind: &record.Effect_Record{Record: &record.RecordMessage{MessageId: 0}}})
			}, []string{"request 2: the peer received send 1 and answered; none arrived here: lost on the way back",
				"the peer's request 0 went out once; none arrived here"}},
		} {
			a := &across{t: t, s: s, ahead: ahead, made: map[uint32]*record.Because{}}
			a.takes(0, true, 1)
			a.takes(1, true, 1)
			x.play(a)
			answer, err := why.Ended(t.Context(), src, c, c.SAs[0], "", why.Options{Place: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			if err := why.With(t.Context(), answer, src, c, &a.steps, why.Options{Place: time.UTC}); err != nil {
				t.Fatal(err)
			}
			if len(answer.There) < 2 || answer.There[0] != "there it is ike9, gw-us: HalfOpen" || !slices.Equal(answer.There[2:], x.want) {
				t.Errorf("%v, %s:\n%s", ahead, x.name, strings.Join(answer.There, "\n"))
			}
			clock := map[time.Duration]string{0: "1.0 ms behind", 400 * time.Millisecond: "399.0 ms ahead of", -time.Hour: "1h0m0.001s behind"}[ahead]
			if len(answer.There) > 1 && answer.There[1] != "clocks: the peer's is "+clock+" ours, give or take 2.0 ms" {
				t.Errorf("%v: %s", ahead, answer.There[1])
			}
			message, err := why.Message(t.Context(), src, c, c.SAs[0], 1, why.Options{Place: time.UTC})
			if err == nil {
				err = why.With(t.Context(), message, src, c, &a.steps, why.Options{Place: time.UTC})
			}
			if err != nil || message.There[len(message.There)-1] != "request 1: the peer received it and answered; that arrived here" {
				t.Errorf("%v: %v", err, message.There)
			}
		}
		answer := &why.Answer{SA: c.SAs[0]}
		if err := why.With(t.Context(), answer, src, c, new(replaytest.Memory), why.Options{}); err != nil || !strings.Contains(answer.There[0], "no SA with those SPIs") {
			t.Errorf("an empty journal: %v %v", answer.There, err)
		}
	}
}
