package main

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A rule is one entry of the plan: the n-th datagram, or the first (or every) one of a kind.
type rule struct {
	lane  byte
	n     int    // 0: by kind
	kind  string // exchange, e.g. INFORMATIONAL
	id    string // message id, or empty
	every bool
	fate  string
	used  bool
}

func (r *rule) matches(lane byte, n int, what string) bool {
	if r.lane != lane || r.used && !r.every {
		return false
	}
	if r.n > 0 {
		return r.n == n
	}
	words := strings.Fields(what) // exchange, request or response, id
	return len(words) == 3 && words[0] == r.kind && (r.id == "" || words[2] == r.id)
}

func parsePlan(s string) (plan []rule, err error) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		key, fate, _ := strings.Cut(f, "=")
		if len(key) < 2 || key[0] != 'a' && key[0] != 'b' {
			return nil, fmt.Errorf("bad plan %q: want a or b and a number or a kind, e.g. a3=drop", f)
		}
		r := rule{lane: key[0], fate: fate}
		if kind, ok := strings.CutPrefix(key[1:], ":"); ok {
			kind, r.every = strings.CutSuffix(kind, "*")
			r.kind, r.id, _ = strings.Cut(kind, ":")
			if r.kind == "" || !slices.Contains(exchanges, r.kind) {
				return nil, fmt.Errorf("bad plan %q: no exchange %q; there are %s", f, r.kind, strings.Join(exchanges, ", "))
			}
			if _, err := strconv.ParseUint(r.id, 10, 32); r.id != "" && err != nil {
				return nil, fmt.Errorf("bad plan %q: message id %q", f, r.id)
			}
		} else if r.n, err = strconv.Atoi(key[1:]); err != nil || r.n < 1 {
			return nil, fmt.Errorf("bad plan %q: datagrams count from 1", f)
		}
		switch fate {
		case "drop", "dup", "hold", "pass":
			plan = append(plan, r)
		default:
			return nil, fmt.Errorf("bad plan %q: drop, dup, hold or pass", f)
		}
	}
	return plan, nil
}

// exchanges names the exchange types from 34 on; those between are not for one IKE SA.
var exchanges = []string{0: "IKE_SA_INIT", 1: "IKE_AUTH", 2: "CREATE_CHILD_SA", 3: "INFORMATIONAL",
	4: "IKE_SESSION_RESUME", 9: "IKE_INTERMEDIATE", 10: "IKE_FOLLOWUP_KE"}

// describe says whether a UDP payload is IKE and names it: exchange type, message id, request or response.
func describe(payload []byte, port uint16) (ike bool, what string) {
	if port == 4500 {
		if len(payload) < 4 || binary.BigEndian.Uint32(payload) != 0 {
			return false, "not IKE"
		}
		payload = payload[4:]
	}
	if len(payload) < 28 {
		return true, fmt.Sprintf("%d octets", len(payload))
	}
	kind := fmt.Sprintf("exchange-%d", payload[18])
	if x := int(payload[18]) - 34; x >= 0 && x < len(exchanges) && exchanges[x] != "" {
		kind = exchanges[x]
	}
	way := "request"
	if payload[19]&0x20 != 0 {
		way = "response"
	}
	return true, fmt.Sprintf("%s %s %d", kind, way, binary.BigEndian.Uint32(payload[20:]))
}
