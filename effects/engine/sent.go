package engine

import (
	"maps"
	"slices"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// sent keeps the datagrams that a window may have to send again: the requests in flight and the last responses of each
// IKE SA, as they went out. They are in the journal too; this saves reading it.
type sent map[uint64][]sentDatagram

// sentDatagram is one of them, under the Record that made it. The bytes are never written again.
type sentDatagram struct {
	record   reducer.Ref
	datagram []byte
}

func (s sent) put(sa uint64, record reducer.Ref, datagram []byte) {
	s[sa] = append(s[sa], sentDatagram{record, datagram})
}

func (s sent) get(sa uint64, record reducer.Ref) []byte {
	for _, d := range s[sa] {
		if d.record == record {
			return d.datagram
		}
	}
	return nil
}

// prune forgets what the SA's window does not name any more; nil is an SA that is gone.
func (s sent) prune(number uint64, sa *reducer.IKESA) {
	list := s[number]
	if sa == nil || len(list) == 0 {
		delete(s, number)
		return
	}
	kept := list[:0]
	for _, d := range list {
		if named(&sa.Window, d.record) {
			kept = append(kept, d)
		}
	}
	if len(kept) == len(list) {
		return
	}
	clear(list[len(kept):])
	s[number] = kept
}

func named(w *reducer.Window, record reducer.Ref) bool {
	for i := range w.InFlight {
		if w.InFlight[i].Recorded == record {
			return true
		}
	}
	for i := range w.Answered {
		if w.Answered[i].Recorded == record {
			return true
		}
	}
	return false
}

// clone is the map as it is now; its lists are written in place, so they are cloned too.
func (s sent) clone() sent {
	all := make(sent, len(s))
	for number, list := range s {
		all[number] = append([]sentDatagram(nil), list...)
	}
	return all
}

// append writes what is kept behind the encoding of a Snapshot, in the order of SAs.
func (s sent) append(dst []byte) (_ []byte, err error) {
	for _, number := range slices.Sorted(maps.Keys(s)) {
		for _, d := range s[number] {
			one := &record.SentDatagram{IkeSa: number, Step: d.record.Step, Index: d.record.Index, Datagram: d.datagram}
			if dst, err = record.MarshalAppend(dst, &record.Snapshot{Sent: []*record.SentDatagram{one}}); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}
