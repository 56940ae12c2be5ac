package creds

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// Distinguished names: "C=CH, O=Example, CN=moon", or "/C=CH/O=Example/CN=moon", as DER (X.501). Each part is a set of
// its own; the order of the text is the order of the name.

// attributes are those of RFC 4519 and of certificates in use, by the names strongSwan knows them by.
var attributes = map[string]asn1.ObjectIdentifier{
	"CN":           {2, 5, 4, 3},
	"S":            {2, 5, 4, 4},
	"SN":           {2, 5, 4, 4},
	"SERIALNUMBER": {2, 5, 4, 5},
	"C":            {2, 5, 4, 6},
	"L":            {2, 5, 4, 7},
	"ST":           {2, 5, 4, 8},
	"STREET":       {2, 5, 4, 9},
	"O":            {2, 5, 4, 10},
	"OU":           {2, 5, 4, 11},
	"T":            {2, 5, 4, 12},
	"D":            {2, 5, 4, 13},
	"POSTALCODE":   {2, 5, 4, 17},
	"N":            {2, 5, 4, 41},
	"G":            {2, 5, 4, 42},
	"I":            {2, 5, 4, 43},
	"E":            {1, 2, 840, 113549, 1, 9, 1},
	"EMAIL":        {1, 2, 840, 113549, 1, 9, 1},
	"EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1},
	"DC":           {0, 9, 2342, 19200300, 100, 1, 25},
	"UID":          {0, 9, 2342, 19200300, 100, 1, 1},
}

// part is AttributeTypeAndValue.
type part struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type partSET []part

// parseDN is the DER of a name. A comma or slash inside a value is written with a backslash before it.
func parseDN(s string) ([]byte, error) {
	separator := byte(',')
	if rest, found := strings.CutPrefix(s, "/"); found {
		s, separator = rest, '/'
	}
	var name []partSET
	for _, piece := range splitParts(s, separator) {
		key, value, found := strings.Cut(piece, "=")
		key, value = strings.ToUpper(strings.TrimSpace(key)), strings.TrimSpace(value)
		oid, known := attributes[key]
		if !found || !known || value == "" {
			return nil, fmt.Errorf("%q is no part of a distinguished name; write it as CN=value", piece)
		}
		name = append(name, partSET{{oid, asn1.RawValue{Tag: valueTag(key, value), Bytes: []byte(value)}}})
	}
	return asn1.Marshal(name)
}

// valueTag is the string type: IA5String where the attribute asks for it (RFC 5280, appendix A), else PrintableString
// where the characters allow it, else UTF8String.
func valueTag(key, value string) int {
	switch key {
	case "E", "EMAIL", "EMAILADDRESS", "DC":
		return asn1.TagIA5String
	}
	for _, r := range value {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !plain && !strings.ContainsRune(" '()+,-./:=?", r) {
			return asn1.TagUTF8String
		}
	}
	return asn1.TagPrintableString
}

func splitParts(s string, separator byte) []string {
	var pieces []string
	var piece strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			piece.WriteByte(s[i])
		case s[i] == separator:
			pieces = append(pieces, piece.String())
			piece.Reset()
		default:
			piece.WriteByte(s[i])
		}
	}
	return append(pieces, piece.String())
}

// sameDN compares two names part by part, without regard to case or to which string type was chosen, as RFC 5280
// section 7.1 all but asks. What is not DER is the same only as octets.
func sameDN(a, b []byte) bool {
	var x, y []partSET
	restA, errA := asn1.Unmarshal(a, &x)
	restB, errB := asn1.Unmarshal(b, &y)
	if errA != nil || errB != nil || len(restA)+len(restB) > 0 {
		return bytes.Equal(a, b)
	}
	return slices.EqualFunc(x, y, func(a, b partSET) bool {
		return slices.EqualFunc(a, b, func(a, b part) bool {
			return a.Type.Equal(b.Type) && bytes.EqualFold(a.Value.Bytes, b.Value.Bytes)
		})
	})
}
