package replay

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Sent finds the datagrams of the messages that src's records hold, by the step and index of their effect: what a resend
// sent. It remembers the last ones, since a request is sent again and again. nil: the journal does not have it (any more).
func Sent(src Source) func(step uint64, index uint32) []byte {
	const most = 64
	known := map[reducer.Ref][]byte{}
	return func(step uint64, index uint32) []byte {
		at := reducer.Ref{Step: step, Index: index}
		datagram, ok := known[at]
		if !ok {
			if len(known) >= most {
				clear(known)
			}
			if r, err := Record(src, step); err == nil {
				datagram = Datagrams(r)[int(index)]
			}
			known[at] = datagram
		}
		return datagram
	}
}

// Datagrams are the messages that a step recorded, as they went out, by the index of their effect: of a protected one the
// sealed datagram, which is missing where sealing failed; of an unprotected one header and payloads.
func Datagrams(r *record.Record) map[int][]byte {
	all := map[int][]byte{}
	sealed := r.GetDatagrams()
	for i, e := range r.GetEffects() {
		m := e.GetRecord()
		switch {
		case m == nil:
		case m.GetUnprotected():
			open := reducer.Effect{Kind: reducer.EffectRecord, MessageID: m.GetMessageId(), Response: m.GetResponse(), Unprotected: true,
				FromInitiator: m.GetFromInitiator(), Exchange: ike.ExchangeType(m.GetExchange()), First: ike.PayloadType(m.GetFirstPayload()),
				Payloads: m.GetPayloads(), SPIi: m.GetSpiI(), SPIr: m.GetSpiR()}
			all[i] = open.Message(nil)
		case len(sealed) > 0:
			if len(sealed[0]) > 0 {
				all[i] = sealed[0]
			}
			sealed = sealed[1:]
		}
	}
	return all
}
