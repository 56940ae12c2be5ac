package replay

import (
	"errors"

	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// raw is a record cut in its parts, so that replay decodes the event alone: what it compares are the effects' octets.
type raw struct {
	step    uint64
	time    int64
	event   *record.Event
	effects []byte // field 4 of the record, each with its tag: what reducer.AppendEffects gives
	data    []byte // the record
}

var errCut = errors.New("it is not a record")

// split cuts a record; the parts point into data. Records are written canonically (proto/record): the effects stand in
// one piece.
func split(data []byte) (raw, error) {
	r := raw{data: data}
	var event []byte
	first, end := 0, 0 // of the effects
	for at := 0; at < len(data); {
		number, kind, n := protowire.ConsumeTag(data[at:])
		if n < 0 {
			return r, errCut
		}
		size := protowire.ConsumeFieldValue(number, kind, data[at+n:])
		if size < 0 {
			return r, errCut
		}
		value, next := data[at+n:at+n+size], at+n+size
		switch {
		case number == 1 && kind == protowire.VarintType:
			r.step, _ = protowire.ConsumeVarint(value)
		case number == 2 && kind == protowire.Fixed64Type:
			t, _ := protowire.ConsumeFixed64(value)
			r.time = int64(t)
		case number == 3 && kind == protowire.BytesType:
			event, _ = protowire.ConsumeBytes(value)
		case number == 4 && kind == protowire.BytesType:
			if end == 0 {
				first, end = at, at
			}
			if end != at {
				return r, errCut
			}
			end = next
		}
		at = next
	}
	r.effects = data[first:end]
	r.event = new(record.Event)
	return r, proto.Unmarshal(event, r.event)
}

// pieces are the effects one by one.
func pieces(effects []byte) [][]byte {
	var all [][]byte
	for len(effects) > 0 {
		_, _, n := protowire.ConsumeTag(effects)
		b, size := protowire.ConsumeBytes(effects[max(n, 0):])
		if n < 0 || size < 0 {
			return all
		}
		all = append(all, b)
		effects = effects[n+size:]
	}
	return all
}
