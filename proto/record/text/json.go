package text

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// StepJSON is one step for programs: one object, one line, without the newline. Names are those of the text; event and
// effects are the schema's own JSON (octets in base64, 64-bit numbers as strings, as protobuf has it). Beyond ASCII
// everything is escaped, so that it may be printed.
//
//	{"v":1,"type":"step","step":48127,"time":"2026-11-23T03:08:11.204187Z","sa":"ike7","event":{...},"effects":[...],
//	 "changes":[{"path":"ike7.window","from":"...","to":"..."}],"because":[{"edge":"decided","step":48120}],"digest":"9d41…"}
func StepJSON(r *record.Record, changes ...Change) []byte {
	step := stepJSON{V: 1, Type: "step", Step: r.GetStep(), Time: time.Unix(0, int64(r.GetTime())).UTC().Format(time.RFC3339Nano),
		Event: message(r.GetEvent()), Effects: []json.RawMessage{}}
	if sa := r.GetEvent().GetIkeSa(); sa != 0 {
		step.SA = SA(sa)
	}
	for _, e := range r.GetEffects() {
		step.Effects = append(step.Effects, message(e))
	}
	for _, c := range changes {
		step.Changes = append(step.Changes, changeJSON(c))
	}
	if b := r.GetEvent().GetBecause(); edgeTo(b) != "" {
		edge := edgeJSON{Edge: Edge(b.GetEdge()), Step: b.GetStep(), Index: b.GetIndex()}
		if b.GetEdge() == record.Edge_EDGE_ROOT {
			edge.Root = Root(b.GetRoot())
		}
		step.Because = []edgeJSON{edge}
	}
	if d := r.GetEvent().GetDatagramReceived().GetDigest(); d != 0 {
		step.Digest = hexDigest(d)
	}
	line, err := json.Marshal(step)
	if err != nil {
		return failure(r, err)
	}
	return ascii(line)
}

type stepJSON struct {
	V       int               `json:"v"`
	Type    string            `json:"type"`
	Step    uint64            `json:"step"`
	Time    string            `json:"time"`
	SA      string            `json:"sa,omitempty"`
	Event   json.RawMessage   `json:"event"`
	Effects []json.RawMessage `json:"effects"`
	Changes []changeJSON      `json:"changes,omitempty"`
	Because []edgeJSON        `json:"because,omitempty"`
	Digest  string            `json:"digest,omitempty"`
}

type changeJSON struct {
	Path string `json:"path"`
	From string `json:"from"`
	To   string `json:"to"`
}

type edgeJSON struct {
	Edge  string `json:"edge"`
	Step  uint64 `json:"step,omitempty"`
	Index uint32 `json:"index,omitempty"`
	Root  string `json:"root,omitempty"`
}

// message is m in the schema's own JSON; what that cannot write is a string that says so.
func message(m proto.Message) json.RawMessage {
	b, err := protojson.Marshal(m)
	if err != nil {
		b, _ = json.Marshal(err.Error())
		return b
	}
	var compact bytes.Buffer // protojson puts spaces in on purpose, now and then
	if err := json.Compact(&compact, b); err != nil {
		return b
	}
	return compact.Bytes()
}

func failure(r *record.Record, err error) []byte {
	why, _ := json.Marshal(err.Error())
	return ascii([]byte(`{"v":1,"type":"step","step":` + decimal(r.GetStep()) + `,"error":` + string(why) + `}`))
}

func hexDigest(d uint64) string {
	var b [8]byte
	for i := range b {
		b[i] = byte(d >> (56 - 8*i))
	}
	return hex.EncodeToString(b[:])
}

// ascii is JSON with everything beyond ASCII, and DEL, as \u escapes: it stands inside strings only.
func ascii(line []byte) []byte {
	out := make([]byte, 0, len(line))
	for len(line) > 0 {
		c, size := utf8.DecodeRune(line)
		line = line[size:]
		switch {
		case c < 0x7f:
			out = append(out, byte(c))
		case c > 0xffff:
			c -= 0x10000
			out = appendEscape(appendEscape(out, 0xd800|c>>10), 0xdc00|c&0x3ff)
		default:
			out = appendEscape(out, c)
		}
	}
	return out
}

func appendEscape(out []byte, c rune) []byte {
	out = append(out, '\\', 'u')
	for shift := 12; shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[c>>shift&15])
	}
	return out
}
