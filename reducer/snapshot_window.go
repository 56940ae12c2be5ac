package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The window, timers and the shutdown in a snapshot, and back.

func windowTo(w *Window) *record.WindowState {
	r := &record.WindowState{NextOut: w.NextOut, PeerSize: uint32(w.PeerSize), NextIn: w.NextIn, Size: ourWindow}
	for _, request := range w.InFlight {
		r.InFlight = append(r.InFlight, &record.OpenRequest{MessageId: request.ID, Exchange: uint32(request.Exchange),
			Wish: waitingTo(request.Wish), Step: request.Recorded.Step, Index: request.Recorded.Index, Sends: request.Sends,
			FirstSent: uint64(request.FirstSent), LastSent: uint64(request.LastSent), Timer: armedTo(request.Timer)})
	}
	for _, waiting := range w.Waiting {
		r.Waiting = append(r.Waiting, waitingTo(waiting))
	}
	for _, a := range w.Answered {
		r.Answered = append(r.Answered, &record.RecordedResponse{MessageId: a.ID, Request: a.Request, Step: a.Recorded.Step,
			Index: a.Recorded.Index, LastCopy: uint64(a.LastCopy), Sends: a.Sends})
	}
	if a := w.Answering; a != nil {
		r.Answering = &record.OpenAnswer{MessageId: a.ID, Exchange: uint32(a.Exchange), Request: a.Request, Path: PathRecord(a.Path)}
	}
	return r
}

func windowFrom(r *record.WindowState) Window {
	w := Window{NextOut: r.GetNextOut(), PeerSize: uint8(r.GetPeerSize()), NextIn: r.GetNextIn()}
	for _, open := range r.GetInFlight() {
		w.InFlight = append(w.InFlight, Request{ID: open.GetMessageId(), Exchange: ike.ExchangeType(open.GetExchange()),
			Wish: waitingFrom(open.GetWish()), Recorded: Ref{open.GetStep(), open.GetIndex()}, Sends: open.GetSends(),
			FirstSent: int64(open.GetFirstSent()), LastSent: int64(open.GetLastSent()), Timer: armedFrom(open.GetTimer())})
	}
	for _, waiting := range r.GetWaiting() {
		w.Waiting = append(w.Waiting, waitingFrom(waiting))
	}
	for _, a := range r.GetAnswered() {
		w.Answered = append(w.Answered, Response{ID: a.GetMessageId(), Request: a.GetRequest(), Recorded: Ref{a.GetStep(), a.GetIndex()},
			LastCopy: int64(a.GetLastCopy()), Sends: a.GetSends()})
	}
	if a := r.GetAnswering(); a != nil {
		w.Answering = &Answering{ID: a.GetMessageId(), Exchange: ike.ExchangeType(a.GetExchange()), Request: a.GetRequest(), Path: pathOf(a.GetPath())}
	}
	return w
}

func waitingTo(w Waiting) *record.WaitingWish {
	return &record.WaitingWish{Wish: record.Wish(w.Wish), ChildSa: w.Child, Decided: becauseTo(w.Decided), Step: w.Wanted.Step,
		Index: w.Wanted.Index, Ticket: w.Ticket}
}

func waitingFrom(r *record.WaitingWish) Waiting {
	return Waiting{Wish: Wish(r.GetWish()), Child: r.GetChildSa(), Decided: becauseOf(r.GetDecided()),
		Wanted: Ref{r.GetStep(), r.GetIndex()}, Ticket: r.GetTicket()}
}

func armedTo(a ArmedTimer) *record.ArmedTimer {
	if a.Kind == noTimer {
		return nil
	}
	return &record.ArmedTimer{Timer: record.Timer(a.Kind), Deadline: uint64(a.Deadline), Step: a.Set.Step, Index: a.Set.Index}
}

func armedFrom(r *record.ArmedTimer) ArmedTimer {
	return ArmedTimer{TimerKind(r.GetTimer()), int64(r.GetDeadline()), Ref{r.GetStep(), r.GetIndex()}}
}

func becauseTo(b Because) *record.Because {
	if b == (Because{}) {
		return nil
	}
	return &record.Because{Edge: record.Edge(b.Edge), Step: b.Step, Index: b.Index, Root: record.Root(b.Root)}
}

func suiteTo(s Suite) *record.Suite {
	return &record.Suite{Encr: uint32(s.Encr), KeyLength: uint32(s.KeyLength), Prf: uint32(s.PRF), Integ: uint32(s.Integ),
		Group: uint32(s.Group), SequenceNumbers: uint32(s.SequenceNumbers)}
}

func suiteFrom(r *record.Suite) Suite {
	return Suite{Encr: uint16(r.GetEncr()), KeyLength: uint16(r.GetKeyLength()), PRF: uint16(r.GetPrf()), Integ: uint16(r.GetInteg()),
		Group: ike.Group(r.GetGroup()), SequenceNumbers: uint16(r.GetSequenceNumbers())}
}

func endingTo(e *Ending) *record.Ending {
	if e == nil {
		return nil
	}
	r := &record.Ending{Step: e.Step, Began: uint64(e.Began), Deadline: uint64(e.Deadline), Cursor: e.Cursor, Keep: e.Keep,
		Reported: e.Reported, Timer: armedTo(e.Timer)}
	for cause, n := range e.Counts {
		if n != 0 {
			r.Counts = append(r.Counts, &record.ReportCount{Cause: record.Cause(cause), Count: n})
		}
	}
	for _, line := range e.Lines {
		r.Lines = append(r.Lines, &record.ReportLine{IkeSa: line.SA, Connection: line.Connection, Cause: record.Cause(line.Cause),
			Detail: line.Detail, Sends: line.Sends})
	}
	return r
}

func endingFrom(r *record.Ending) *Ending {
	if r == nil {
		return nil
	}
	e := &Ending{Step: r.GetStep(), Began: int64(r.GetBegan()), Deadline: int64(r.GetDeadline()), Cursor: r.GetCursor(), Keep: r.GetKeep(),
		Reported: r.GetReported(), Timer: armedFrom(r.GetTimer())}
	for _, count := range r.GetCounts() {
		e.Counts[count.GetCause()] = count.GetCount()
	}
	for _, line := range r.GetLines() {
		e.Lines = append(e.Lines, EndingLine{SA: line.GetIkeSa(), Connection: line.GetConnection(), Cause: Cause(line.GetCause()),
			Detail: line.GetDetail(), Sends: line.GetSends()})
	}
	return e
}
