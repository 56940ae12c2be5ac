package text

import (
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Event is what happened, in one line that begins with the IKE SA it is about: `ike7  CloseAsked operator`,
// `ike7  DatagramReceived request 7 INFORMATIONAL {D(IKE)}`.
func Event(ev *record.Event) string {
	line := happened(ev)
	if ev.GetIkeSa() != 0 {
		return SA(ev.GetIkeSa()) + "  " + line
	}
	return line
}

func happened(ev *record.Event) string {
	switch k := ev.GetKind().(type) {
	case *record.Event_Started:
		return words("Started", "run", decimal(k.Started.GetRun()), Name(k.Started.GetVersion()))
	case *record.Event_Recovered:
		return words("Recovered", "run", decimal(k.Recovered.GetRun()), Name(k.Recovered.GetVersion()),
			listed("without keys", k.Recovered.GetWithoutKeys(), SA), listed("diverged", k.Recovered.GetDiverged(), SA))
	case *record.Event_ConfigLoaded:
		return words("ConfigLoaded", plural(len(k.ConfigLoaded.GetConfig().GetConnections()), "connection"))
	case *record.Event_DatagramReceived:
		return words("DatagramReceived", Received(k.DatagramReceived))
	case *record.Event_RepeatReceived:
		return words("RepeatReceived", "request", decimal(k.RepeatReceived.GetMessageId()), Path(k.RepeatReceived.GetPath()))
	case *record.Event_HintReceived:
		return words("HintReceived", Name(k.HintReceived.GetWhat()), Path(k.HintReceived.GetPath()))
	case *record.Event_KeyShareMade:
		return words("KeyShareMade", ike.Group(k.KeyShareMade.GetFresh().GetGroup()).String(), failed(k.KeyShareMade.GetFailure()))
	case *record.Event_Agreed:
		return words("Agreed", failed(k.Agreed.GetFailure()))
	case *record.Event_AuthMade:
		return words("AuthMade", ike.AuthMethod(k.AuthMade.GetMethod()).String(), failed(k.AuthMade.GetFailure()))
	case *record.Event_Authenticated:
		verdict := "good"
		if !k.Authenticated.GetGood() {
			verdict = "bad: " + Quote(k.Authenticated.GetReason())
		}
		return words("Authenticated", verdict, listed("beside", k.Authenticated.GetOthers(), SA))
	case *record.Event_SpiAllocated:
		return words("SPIAllocated", Child(k.SpiAllocated.GetChildSa()), spi(k.SpiAllocated.GetSpi()), failed(k.SpiAllocated.GetFailure()))
	case *record.Event_ChildInstalled:
		return words("ChildInstalled", Child(k.ChildInstalled.GetChildSa()), spi(k.ChildInstalled.GetInboundSpi()), failed(k.ChildInstalled.GetRefusal()))
	case *record.Event_ChildRemoved:
		return words("ChildRemoved", Child(k.ChildRemoved.GetChildSa()), failed(k.ChildRemoved.GetRefusal()))
	case *record.Event_TimerFired:
		return words("TimerFired", Timer(k.TimerFired.GetTimer()))
	case *record.Event_InitiateAsked:
		return words("InitiateAsked", askedBy(ev), Name(k.InitiateAsked.GetConnection()), Name(k.InitiateAsked.GetChild()), failed(k.InitiateAsked.GetFailure()))
	case *record.Event_CloseAsked:
		return words("CloseAsked", askedBy(ev), childOr(k.CloseAsked.GetChildSa()))
	case *record.Event_RekeyAsked:
		return words("RekeyAsked", askedBy(ev), childOr(k.RekeyAsked.GetChildSa()))
	case *record.Event_ShutdownAsked:
		kept := ""
		if k.ShutdownAsked.GetKeep() {
			kept = "keep SAs"
		}
		return words("ShutdownAsked", Name(k.ShutdownAsked.GetSignal()), "budget", Duration(int64(k.ShutdownAsked.GetBudget())), kept)
	case *record.Event_RunEnded:
		return words("RunEnded", Quote(k.RunEnded.GetReason()))
	case *record.Event_DoorCounted:
		return words("DoorCounted", counted(k.DoorCounted.GetCounts()))
	case *record.Event_Poisoned:
		on := "Poisoned" // in itself: no engine writes that
		if k.Poisoned.GetEvent().GetPoisoned() == nil {
			on = Event(k.Poisoned.GetEvent())
		}
		return words("Poisoned", Quote(k.Poisoned.GetPanic()), "on", on)
	}
	return "event unknown to this version"
}

// Received is a datagram in short: which message it is, and its payloads.
func Received(d *record.DatagramReceived) string {
	h, err := ike.ParseHeader(d.GetDatagram())
	if err != nil {
		return err.Error()
	}
	first, payloads := ike.PayloadType(d.GetFirstPayload()), d.GetOpened()
	if h.Exchange == ike.IKE_SA_INIT {
		first, payloads = h.NextPayload, d.GetDatagram()[ike.HeaderLen:]
	}
	return Message(h, first, payloads)
}

// Message is `request 7 INFORMATIONAL {D(IKE)}`.
func Message(h ike.Header, first ike.PayloadType, payloads []byte) string {
	return words(direction(h.Response()), decimal(h.MessageID), h.Exchange.String(), ike.DescribeMessage(h, first, payloads))
}

func direction(response bool) string {
	if response {
		return "response"
	}
	return "request"
}

// askedBy is who wanted it, where a chain of causes begins here.
func askedBy(ev *record.Event) string {
	if b := ev.GetBecause(); b.GetEdge() == record.Edge_EDGE_ROOT && b.GetRoot() != record.Root_ROOT_UNSPECIFIED {
		return Root(b.GetRoot())
	}
	return ""
}

func failed(why string) string {
	if why == "" {
		return ""
	}
	return "failed: " + Quote(why)
}

func counted(counts []*record.DoorCount) string {
	var all []string
	for _, c := range counts {
		all = append(all, Name(c.GetCause())+" "+decimal(c.GetCount()))
	}
	return strings.Join(all, ", ")
}

// mostListed numbers are printed of a list, then how many there are.
const mostListed = 8

func listed(what string, numbers []uint64, name func(uint64) string) string {
	if len(numbers) == 0 {
		return ""
	}
	all := []string{what}
	for i, n := range numbers {
		if i == mostListed {
			all = append(all, "and "+decimal(len(numbers)-i)+" more")
			break
		}
		all = append(all, name(n))
	}
	return strings.Join(all, " ")
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return decimal(n) + " " + thing + "s"
}

// words joins what is not empty by spaces.
func words(all ...string) string {
	var s strings.Builder
	for _, word := range all {
		if word == "" {
			continue
		}
		if s.Len() > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(word)
	}
	return s.String()
}

// childOr is the name of a Child SA; of none it is empty.
func childOr(number uint64) string {
	if number == 0 {
		return ""
	}
	return Child(number)
}
