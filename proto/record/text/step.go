package text

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Change is one difference between two states: see record.Change.
type Change = record.Change

// Options say how much of a step is printed.
type Options struct {
	Place    *time.Location // for the time of day; nil: UTC
	Payloads bool           // each payload of the messages, in hex
	Raw      bool           // the datagrams, in hex

	// Sent, if there is one, finds the datagram that an earlier step recorded, for the digest of a resend.
	Sent func(step uint64, index uint32) []byte
}

const (
	indent      = "         "
	eventWidth  = 46 // from the SA's name to the edge
	effectWidth = 71 // to the digest
)

// Step writes the block of one step: what happened and because of what, what it changed (changes may be nil: a record
// alone does not say), what it ordered.
//
//	48127  03:08:11.204  ike7  CloseAsked operator                     because root operator
//	         ike7.window   waiting: - -> delete-ike
//	         set-timer     ike7 discard 30s
func Step(w io.Writer, r *record.Record, changes []Change, o Options) error {
	now := int64(r.GetTime())
	var out strings.Builder
	out.WriteString(padded(decimal(r.GetStep())+"  "+Clock(now, o.Place)+"  "+Event(r.GetEvent()),
		Because(r.GetEvent().GetBecause()), len(decimal(r.GetStep()))+16+eventWidth))
	out.WriteByte('\n')
	put := func(l string) {
		out.WriteString(indent)
		out.WriteString(l)
		out.WriteByte('\n')
	}
	for _, l := range received(r.GetEvent().GetDatagramReceived(), o) {
		put(l)
	}
	for _, l := range Changes(changes, r.GetEffects()) {
		put(l)
	}
	next := 0 // the datagram of the next protected message
	for _, e := range r.GetEffects() {
		m := e.GetRecord()
		var datagram []byte
		switch {
		case m != nil && !m.GetUnprotected() && next < len(r.GetDatagrams()):
			datagram = r.GetDatagrams()[next]
			next++
		case e.GetResend() != nil && o.Sent != nil:
			datagram = o.Sent(e.GetBecause().GetStep(), e.GetBecause().GetIndex())
		}
		put(withDigest(e, Effect(e, now), datagram))
		if m != nil && o.Payloads {
			for _, l := range payloads(ike.PayloadType(m.GetFirstPayload()), m.GetPayloads()) {
				put(l)
			}
		}
		if o.Raw && datagram != nil {
			put(line("datagram", hex.EncodeToString(datagram)))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// Changes are the lines of changes, less those that a note among the effects says already.
func Changes(changes []Change, effects []*record.Effect) []string {
	said := map[string]bool{}
	for _, e := range effects {
		if e.GetChanged() != nil {
			name, _, _ := strings.Cut(Effect(e, 0), " ")
			said[name] = true
		}
	}
	var lines []string
	for _, c := range changes {
		if !said[c.Path] {
			lines = append(lines, ChangeLine(c))
		}
	}
	return lines
}

// ChangeLine is `ike7.window   waiting: - -> delete-ike`.
func ChangeLine(c Change) string { return line(c.Path, c.From+" -> "+c.To) }

// received is what is printed of a datagram beside its short form.
func received(d *record.DatagramReceived, o Options) []string {
	var lines []string
	if d == nil {
		return nil
	}
	if o.Payloads {
		first, b := ike.PayloadType(d.GetFirstPayload()), d.GetOpened()
		if h, err := ike.ParseHeader(d.GetDatagram()); err == nil && h.Exchange == ike.IKE_SA_INIT {
			first, b = h.NextPayload, d.GetDatagram()[ike.HeaderLen:]
		}
		lines = payloads(first, b)
	}
	if o.Raw {
		lines = append(lines, line("datagram", hex.EncodeToString(d.GetDatagram())))
	}
	return lines
}

func payloads(first ike.PayloadType, b []byte) []string {
	var p ike.Payloads
	err := ike.ParsePayloads(first, b, &p)
	var lines []string
	for _, payload := range p.All() {
		lines = append(lines, line("payload", payload.Type.String()+" "+hex.EncodeToString(payload.Body)))
	}
	if err != nil {
		lines = append(lines, line("payload", err.Error()))
	}
	return lines
}

// withDigest is the line of an effect and the digest of its datagram, if that is known: in a column of its own for a new
// message, in place of the record's step for one that is sent again.
func withDigest(e *record.Effect, l string, datagram []byte) string {
	if e.GetResend() != nil && datagram != nil {
		return strings.TrimSuffix(l, recordedAt(e)) + "  " + digest(datagram)
	}
	return padded(l, digest(datagram), effectWidth)
}

// digest is how a datagram is recognised in two journals: the first four hex digits of its SHA-256.
func digest(datagram []byte) string {
	if datagram == nil {
		return ""
	}
	sum := sha256.Sum256(datagram)
	return "digest " + hex.EncodeToString(sum[:2])
}

// padded is left and, in its column where there is room, right.
func padded(left, right string, column int) string {
	if right == "" {
		return left
	}
	return left + strings.Repeat(" ", max(column-len(left), 2)) + right
}
