package replaytest

import (
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Samples are journals that tests of commands read, by name; each gives the steps after which a new segment begins.
var Samples = map[string]func(*Script) []uint64{
	"cutoff": cutOff, "ends": ends, "alive": alive, "otherwise": otherwise, "hostile": hostile,
	"children": children,
}

// cutOff is the headline of REPLAY-UX.md: the shutdown's budget ends while a Delete waits behind a liveness check.
func cutOff(s *Script) []uint64 {
	east := Connection("gw-east", "203.0.113.9")
	east.DpdDelay = uint64(30 * time.Second)
	s.Start("0.9.2", east, Connection("gw-lab", "198.51.100.4"), Connection("gw-west", "192.0.2.77"))
	ike1, _, ike3 := s.Up("gw-east"), s.Up("gw-lab"), s.Up("gw-west")
	roll := s.Step()
	for range 2 {
		s.Check(ike1)
		s.Wait(120 * time.Millisecond)
		s.Answer(ike1)
	}
	s.Check(ike1)
	s.Fire(ike1, record.Timer_TIMER_RETRANSMIT)
	s.Wait(300 * time.Millisecond)
	s.Shutdown(30 * time.Second)
	s.Wait(190 * time.Millisecond)
	s.Answer(ike3)
	s.Elapse(24200 * time.Millisecond)
	s.Fire(ike1, record.Timer_TIMER_DISCARD) // retransmissions in between were late: the machine was busy
	s.End("SIGTERM")
	return []uint64{roll}
}

// ends is a journal in which IKE SAs end in as many ways as they can.
func ends(s *Script) []uint64 {
	east, lab := Connection("gw-east", "203.0.113.9"), Connection("gw-lab", "198.51.100.4")
	lab.DpdDelay = uint64(30 * time.Second)
	s.Start("0.9.2", east, lab)

	s.Close(s.Up("gw-east")) // ike1: acknowledged
	s.Wait(190 * time.Millisecond)
	s.Answer(1)
	alone := s.Step()

	s.Close(s.Up("gw-east")) // ike2: unacknowledged
	s.GiveUp(2)

	s.Up("gw-lab") // ike3: unanswered
	s.Check(3)
	s.GiveUp(3)

	s.Accept("gw-east", false) // ike4: the peer asked
	s.PeerDeletes(4)
	s.Fire(4, record.Timer_TIMER_LINGER)

	s.Up("gw-east") // ike5: both at once
	s.Close(5)
	s.PeerDeletes(5)
	s.Fire(5, record.Timer_TIMER_LINGER)

	s.Accept("gw-east", false) // ike6: superseded by ike7
	s.Accept("gw-east", true)

	s.Asked("gw-east") // ike8: half-open, timed out
	s.Fire(8, record.Timer_TIMER_HALF_OPEN)

	s.Asked("gw-east") // ike9: refused
	s.AuthAsked(9, "gw-east.example", false)
	s.Authenticated(9, `no shared key for "gw-east.example"`)
	s.Fire(9, record.Timer_TIMER_LINGER)

	s.Up("gw-lab") // ike10: damaged
	s.Check(10)
	s.Answer(10, ike.Notify{Type: ike.NotifyInvalidSyntax})

	s.Initiate("gw-lab") // ike11: no answer to IKE_SA_INIT
	s.GiveUp(11)

	s.Up("gw-lab") // ike12: not recovered
	s.Wait(time.Minute)
	s.Recover("0.9.3", 7, 12)
	return []uint64{alone, 20}
}

// Life is a journal in which each kind of event has its turn, over a restart and up to a shutdown in which one of two peers
// is silent.
func Life(t testing.TB) *Script {
	s := New(t)
	s.Start("0.1.0", Connection("gw-east", "203.0.113.9"), Connection("gw-lab", "198.51.100.4"))
	east := s.Up("gw-east")
	lab := s.Accept("gw-lab", false)
	s.Wait(time.Minute)
	s.PeerAsks(lab, ike.INFORMATIONAL)
	s.Close(east)
	s.Fire(east, record.Timer_TIMER_RETRANSMIT)
	s.Wait(190 * time.Millisecond)
	s.Answer(east)
	s.Removed()
	s.PeerDeletes(lab)
	s.Removed()
	s.Fire(lab, record.Timer_TIMER_LINGER)
	s.Wait(time.Second)
	s.Recover("0.2.0")
	s.Up("gw-east")
	s.Up("gw-lab")
	s.Shutdown(30 * time.Second)
	s.Answer(3)
	s.Removed()
	s.Silence(4)
	s.Removed()
	s.End("SIGTERM")
	return s
}

// alive is a journal whose SAs are not gone.
func alive(s *Script) []uint64 {
	east, lab := Connection("gw-east", "203.0.113.9"), Connection("gw-lab", "198.51.100.4")
	east.DpdDelay = uint64(30 * time.Second)
	s.Start("0.9.2", east, lab)
	s.Up("gw-east")
	s.Check(1)
	s.Fire(1, record.Timer_TIMER_RETRANSMIT)
	s.Close(1)
	s.Accept("gw-lab", false)
	s.PeerAsks(2, ike.INFORMATIONAL)
	s.Initiate("gw-lab")
	return nil
}

// otherwise was written by a binary that sends the Delete at once, past the window.
func otherwise(s *Script) []uint64 {
	east := Connection("gw-east", "203.0.113.9")
	east.DpdDelay = uint64(30 * time.Second)
	s.Start("0.9.4", east, Connection("gw-lab", "198.51.100.4"))
	s.Up("gw-east")
	s.Up("gw-lab")
	s.Check(1)
	s.Otherwise(&record.Event{IkeSa: 1, Because: &record.Because{Root: record.Root_ROOT_OPERATOR}, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}},
		func(e []reducer.Effect) []reducer.Effect {
			first, payloads := ike.AppendPayloads(nil, ike.Delete{Protocol: ike.ProtocolIKE})
			return append(e[:len(e):len(e)], reducer.Effect{Kind: reducer.EffectRecord, SA: 1, MessageID: 3, Exchange: ike.INFORMATIONAL,
				First: first, Payloads: payloads, Path: s.State().SA(1).Path, FromInitiator: true, KeyRef: s.State().SA(1).KeyRef,
				Because: reducer.Because{Edge: reducer.EdgeServes, Step: s.Step(), Index: 1}})
		})
	s.Otherwise(&record.Event{IkeSa: 2, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}},
		func(e []reducer.Effect) []reducer.Effect { return e[1:] })
	return nil
}

// hostile has a peer whose identity would like to write on the terminal.
func hostile(s *Script) []uint64 {
	any := Connection("any", "203.0.113.9")
	any.RemoteId = nil
	s.Start("0.9.2", any)
	s.Asked("any")
	s.AuthAsked(1, "\x1b]0;pwned\x07\x1b[2J\u202eevil", false)
	s.Authenticated(1, "\x1b[31mno shared key for \"\x1b[2J\"")
	s.Fire(1, record.Timer_TIMER_LINGER)
	return nil
}

// children is a journal in which Child SAs end in as many ways as they can.
func children(s *Script) []uint64 {
	east, lab := Connection("gw-east", "203.0.113.9"), Connection("gw-lab", "198.51.100.4")
	s.Start("0.9.2", east, lab)
	deletes := func(spi uint32) ike.Body { return ike.Delete{Protocol: ike.ProtocolESP, SPIs: []uint32{spi}} }

	s.Up("gw-east") // child1: the operator wants it closed
	s.CloseChild(1, 1)
	s.Wait(190 * time.Millisecond)
	s.Answer(1, deletes(0xd0000001))

	s.Up("gw-lab") // child2: the peer deletes it
	s.PeerAsks(2, ike.INFORMATIONAL, deletes(0xd0000002))

	s.Initiate("gw-lab") // child3: the peer refuses it
	s.AnswerInit(3)
	s.Answer(3, ike.Identification{Type: ike.IDFQDN, Data: []byte("gw-lab.example")}, ike.Auth{Method: ike.AuthSharedKey, Data: s.make(32)},
		ike.Notify{Type: ike.NotifyTSUnacceptable})
	s.Authenticated(3, "")

	s.Initiate("gw-lab") // child4: our kernel refuses it, and the peer is silent when its half is deleted
	s.AnswerInit(4)
	s.AnswerAuth(4)
	s.Authenticated(4, "")
	s.Installed(4, "no buffer space available")
	s.Fire(4, record.Timer_TIMER_RETRANSMIT)

	s.Asked("gw-east") // child5: the peer asks for it, and our kernel refuses it
	s.AuthAsked(5, "gw-east.example", false)
	s.Authenticated(5, "")
	s.Installed(5, "no buffer space available")

	s.Close(s.Up("gw-east")) // child6: goes with its IKE SA
	s.Wait(190 * time.Millisecond)
	s.Answer(6)

	s.Up("gw-east") // child7: is up
	return nil
}
