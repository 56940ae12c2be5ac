package reducer

import (
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/encoding/protowire"
)

// A step as journal bytes: record.Record written by hand, because building the generated messages costs more than the
// step itself. A test reads what is written here with the generated types and writes it again: the bytes must agree.

// AppendRecord is the journal record of one step behind dst: the event, its effects, and the sealed datagrams of the
// protected messages among them, in order.
func AppendRecord(dst []byte, step uint64, now int64, ev *record.Event, effects []Effect, datagrams [][]byte) ([]byte, error) {
	dst = appendUint(dst, 1, step)
	dst = appendFixed(dst, 2, uint64(now))
	var err error
	dst = protowire.AppendTag(dst, 3, protowire.BytesType)
	dst, at := beginMessage(dst)
	if dst, err = record.MarshalAppend(dst, ev); err != nil {
		return nil, err
	}
	dst = endMessage(dst, at)
	dst = AppendEffects(dst, effects)
	for _, datagram := range datagrams {
		dst = protowire.AppendTag(dst, 5, protowire.BytesType)
		dst = protowire.AppendBytes(dst, datagram)
	}
	return dst, nil
}

// AppendEffects is the effects of one step as they stand in its record: field 4, repeated. Replay compares these bytes.
func AppendEffects(dst []byte, effects []Effect) []byte {
	for i := range effects {
		dst = protowire.AppendTag(dst, 4, protowire.BytesType)
		var at int
		dst, at = beginMessage(dst)
		dst = appendEffect(dst, &effects[i])
		dst = endMessage(dst, at)
	}
	return dst
}

func appendEffect(dst []byte, e *Effect) []byte {
	dst = appendUint(dst, 1, e.SA)
	dst = appendUint(dst, 2, e.Child)
	dst = appendBecause(dst, 3, e.Because)
	dst = protowire.AppendTag(dst, protowire.Number(e.Kind), protowire.BytesType)
	dst, at := beginMessage(dst)
	switch e.Kind {
	case EffectRecord:
		dst = appendRecordMessage(dst, e)
	case EffectResend:
		dst = appendUint(dst, 1, uint64(e.MessageID))
		dst = appendBool(dst, 2, e.Response)
		dst = appendUint(dst, 3, uint64(e.Sends))
		dst = appendPath(dst, 4, e.Path)
	case EffectRefuse:
		dst = appendFixed(dst, 1, e.SPIi)
		dst = appendFixed(dst, 2, e.SPIr)
		dst = appendUint(dst, 3, uint64(e.Exchange))
		dst = appendUint(dst, 4, uint64(e.MessageID))
		dst = appendUint(dst, 5, uint64(e.Notify))
		dst = appendBytes(dst, 6, e.Data)
		dst = appendPath(dst, 7, e.Path)
	case EffectSetTimer:
		dst = appendUint(dst, 1, uint64(e.Timer))
		dst = appendUint(dst, 2, uint64(e.MessageID))
		dst = appendFixed(dst, 3, uint64(e.Deadline))
	case EffectCancelTimer:
		dst = appendUint(dst, 1, uint64(e.Timer))
		dst = appendUint(dst, 2, uint64(e.MessageID))
	case EffectMakeKeyShare:
		dst = appendUint(dst, 1, uint64(e.Group))
	case EffectAgree, EffectMakeAuth, EffectCheckAuth:
		dst = appendKeyWork(dst, e)
	case EffectAllocateSPI:
		dst = appendUint(dst, 1, uint64(e.Protocol))
	case EffectInstallChild:
		dst = appendInstallation(dst, e)
	case EffectRemoveChild:
		dst = appendUint(dst, 1, uint64(e.Protocol))
		dst = appendUint(dst, 2, uint64(e.Install.InboundSPI))
		dst = appendUint(dst, 3, uint64(e.Install.OutboundSPI))
		dst = appendPath(dst, 4, e.Path)
	case EffectDestroyKeys:
		dst = appendUint(dst, 1, e.KeyRef)
	case EffectAnswer:
		dst = appendUint(dst, 1, e.Ticket)
		dst = appendText(dst, 2, e.Text)
	case EffectWanted:
		dst = appendUint(dst, 1, uint64(e.Wish))
		dst = appendBecause(dst, 2, e.Decided)
	case EffectChanged:
		dst = appendChange(dst, e)
	case EffectDiscarded:
		dst = appendEnd(dst, e.End)
	case EffectReport:
		dst = appendReport(dst, e.Report)
	case EffectDropped:
		dst = appendText(dst, 1, e.Text)
	case EffectLocate:
		dst = appendText(dst, 1, e.Text)
		dst = appendText(dst, 2, e.Name)
	}
	return endMessage(dst, at)
}

func appendRecordMessage(dst []byte, e *Effect) []byte {
	dst = appendUint(dst, 1, uint64(e.MessageID))
	dst = appendBool(dst, 2, e.Response)
	dst = appendUint(dst, 3, uint64(e.Exchange))
	dst = appendUint(dst, 4, uint64(e.First))
	dst = appendBytes(dst, 5, e.Payloads)
	dst = appendPath(dst, 6, e.Path)
	if e.Unprotected {
		dst = appendFixed(dst, 7, e.SPIi)
		dst = appendFixed(dst, 8, e.SPIr)
	}
	dst = appendBool(dst, 9, e.Unprotected)
	dst = appendUint(dst, 10, e.KeyRef)
	return appendBool(dst, 11, e.FromInitiator)
}

func appendKeyWork(dst []byte, e *Effect) []byte {
	dst = appendUint(dst, 1, e.KeyRef)
	if e.Kind == EffectAgree {
		dst = appendSuite(dst, 2, e.Keys.Suite)
		dst = appendBool(dst, 3, e.Initiator)
		dst = appendFixed(dst, 4, e.SPIi)
		dst = appendFixed(dst, 5, e.SPIr)
		if e.Keys.Request != nil {
			dst = appendFixed(dst, 6, Digest(e.Keys.Request))
			return appendFixed(dst, 7, Digest(e.Keys.Response))
		}
		dst = appendUint(dst, 8, e.Keys.OldRef)
		dst = appendBytes(dst, 9, e.Keys.Ni)
		dst = appendBytes(dst, 10, e.Keys.Nr)
		return appendBytes(dst, 11, e.Keys.PeerPublic)
	}
	dst = appendBool(dst, 2, e.Initiator)
	dst = appendIdentity(dst, 3, e.Keys.LocalID)
	dst = appendIdentity(dst, 4, e.Keys.RemoteID)
	if e.Kind == EffectCheckAuth {
		dst = appendUint(dst, 5, uint64(e.Keys.Method))
		dst = appendBytes(dst, 6, e.Keys.Auth)
	}
	return dst
}

func appendInstallation(dst []byte, e *Effect) []byte {
	in := e.Install
	dst = appendText(dst, 1, in.Name)
	dst = appendUint(dst, 2, e.KeyRef)
	dst = appendBool(dst, 3, e.Initiator)
	dst = appendBytes(dst, 4, in.Ni)
	dst = appendBytes(dst, 5, in.Nr)
	dst = appendUint(dst, 6, uint64(e.Protocol))
	dst = appendSuite(dst, 7, in.Suite)
	dst = appendUint(dst, 8, uint64(in.InboundSPI))
	dst = appendUint(dst, 9, uint64(in.OutboundSPI))
	dst = appendPath(dst, 10, e.Path)
	dst = appendBool(dst, 11, in.Encapsulated)
	dst = appendBool(dst, 12, in.TransportMode)
	dst = appendSelectors(dst, 13, in.LocalTS)
	dst = appendSelectors(dst, 14, in.RemoteTS)
	dst = appendUint(dst, 15, in.ShareRef)
	return appendBytes(dst, 16, in.PeerPublic)
}

func appendChange(dst []byte, e *Effect) []byte {
	c := e.Change
	dst = appendUint(dst, 1, uint64(c.From))
	dst = appendUint(dst, 2, uint64(c.To))
	dst = appendUint(dst, 3, uint64(c.ChildFrom))
	dst = appendUint(dst, 4, uint64(c.ChildTo))
	dst = appendUint(dst, 5, uint64(c.Cause))
	dst = appendText(dst, 6, c.Detail)
	dst = appendText(dst, 7, c.Connection)
	dst = appendPath(dst, 8, e.Path)
	dst = appendIdentity(dst, 9, c.RemoteID)
	dst = appendFixed(dst, 10, e.SPIi)
	dst = appendFixed(dst, 11, e.SPIr)
	dst = appendUint(dst, 12, uint64(c.InboundSPI))
	dst = appendUint(dst, 13, uint64(c.OutboundSPI))
	return appendUint(dst, 14, c.Predecessor)
}

func appendEnd(dst []byte, end *End) []byte {
	dst = appendUint(dst, 1, uint64(end.From))
	dst = appendUint(dst, 2, uint64(end.Cause))
	dst = appendText(dst, 3, end.Detail)
	dst = appendPacked(dst, 4, end.Children)
	dst = appendPacked(dst, 5, end.Dropped)
	for _, open := range end.Unfinished {
		dst = protowire.AppendTag(dst, 6, protowire.BytesType)
		var at int
		dst, at = beginMessage(dst)
		dst = appendUint(dst, 1, uint64(open.ID))
		dst = appendUint(dst, 2, uint64(open.Wish.Wish))
		dst = appendUint(dst, 3, uint64(open.Sends))
		dst = appendBecause(dst, 4, Because{Edge: EdgeServes, Step: open.Recorded.Step, Index: open.Recorded.Index})
		dst = endMessage(dst, at)
	}
	return appendFixed(dst, 7, uint64(end.LastHeard))
}

func appendReport(dst []byte, r *Report) []byte {
	for cause, n := range r.Counts {
		if n != 0 {
			dst = protowire.AppendTag(dst, 1, protowire.BytesType)
			var at int
			dst, at = beginMessage(dst)
			dst = appendUint(dst, 1, uint64(cause))
			dst = appendUint(dst, 2, n)
			dst = endMessage(dst, at)
		}
	}
	for _, line := range r.Lines {
		dst = protowire.AppendTag(dst, 2, protowire.BytesType)
		var at int
		dst, at = beginMessage(dst)
		dst = appendUint(dst, 1, line.SA)
		dst = appendText(dst, 2, line.Connection)
		dst = appendUint(dst, 3, uint64(line.Cause))
		dst = appendText(dst, 4, line.Detail)
		dst = appendUint(dst, 5, uint64(line.Sends))
		dst = endMessage(dst, at)
	}
	return appendFixed(dst, 3, uint64(r.Took))
}
