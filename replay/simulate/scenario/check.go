package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// checkForms are the ways to say a check.
var checkForms = []struct {
	kind string
	re   *regexp.Regexp
}{
	{"copies", regexp.MustCompile(`^(?P<msg>[A-P]>[qr]\d+) x(?P<op>>=|<=)?(?P<count>\d+)$`)},
	{"after", regexp.MustCompile(`^(?P<msg>[A-P]>[qr]\d+) after (?P<other>[A-P]>[qr]\d+)$`)},
	{"has", regexp.MustCompile(`^(?P<msg>[A-P]>[qr]\d+) has (?P<word>.+)$`)},
	{"gaps", regexp.MustCompile(`^(?P<msg>[A-P]>[qr]\d+) gaps grow, none under (?P<least>\S+)$`)},
	{"gone", regexp.MustCompile(`^(?P<node>[A-P]) gone (?P<word>[a-z ]+?)(?: (?P<op>>=|<=)?(?P<count>\d+))?(?: at (?P<least>[\d.]+)\.\.(?P<most>[\d.]+))?$`)},
	{"up", regexp.MustCompile(`^(?P<node>[A-P]) up (?P<op>>=|<=)?(?P<count>\d+)$`)},
	{"children", regexp.MustCompile(`^(?P<node>[A-P]) children (?P<op>>=|<=)?(?P<count>\d+)$`)},
	{"requests", regexp.MustCompile(`^(?P<node>[A-P]) requests (?P<op>>=|<=)?(?P<count>\d+)$`)},
	{"exit", regexp.MustCompile(`^(?P<node>[A-P]) exits within (?P<most>\S+)$`)},
	{"report", regexp.MustCompile(`^(?P<node>[A-P]) reports (?P<word>[a-z ]+?) (?P<op>>=|<=)?(?P<count>\d+)$`)},
}

func parseCheck(text string) (c Check, err error) {
	for _, f := range checkForms {
		m := f.re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		c.Kind, c.Op, c.Count = f.kind, "=", -1
		for i, name := range f.re.SubexpNames() {
			v := m[i]
			if name == "" || v == "" {
				continue
			}
			var bad error
			switch name {
			case "msg":
				c.Msg, bad = parseMessage(v, c.Msg)
				c.Node = c.Msg.Sender
			case "other":
				c.Other, bad = parseMessage(v, c.Other)
			case "node":
				c.Node = v
			case "op":
				c.Op = v
			case "count":
				c.Count, bad = strconv.Atoi(v)
			case "word":
				c.Word = strings.TrimSpace(v)
			case "least":
				c.Least, bad = parseWait(v)
			case "most":
				c.Most, bad = parseWait(v)
			}
			if bad != nil {
				return c, bad
			}
		}
		return c, nil
	}
	return c, fmt.Errorf("%q is no check; try: B>r5 x3, A gone acknowledged, A up 1, A>q6 after B>r5", text)
}

// Holds compares a number with what the check asks for.
func (c *Check) Holds(n int) bool {
	switch c.Op {
	case ">=":
		return n >= c.Count
	case "<=":
		return n <= c.Count
	}
	return n == c.Count
}
