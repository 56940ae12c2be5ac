package reducer

import (
	"fmt"
	"math"
	"strings"
)

// given brings an IKE SA to a place in its life, by the commands that lead there, and prints nothing.
//
//	given established                  as initiator, with one child
//	given established responder
//	given established children=0
//	given init-sent | agreeing | making-auth | auth-sent | checking-auth        as initiator
//	given half-open | checking | installing                                     as responder
//	given deleting | lingering
func (s *script) given(words []string, _ string) error {
	a := argsOf(words)
	number := s.n.s.nextIKE
	lines := asInitiator
	if a.has("responder") || a.has("half-open") || a.has("checking") || a.has("installing") {
		lines = asResponder
	}
	childless := a.options["children"] == "0"
	last, ok := map[string]string{"init-sent": "share-made", "wait-share": "initiate", "agreeing": "answer IKE 0", "making-auth": "agreed", "auth-sent": "spi-allocated",
		"checking-auth": "answer IKE 1", "half-open": "peer-asks 0", "checking": "peer-asks IKE 1", "installing": "authenticated"}[a.words[0]]
	for _, line := range lines {
		if childless {
			line = strings.NewReplacer(" SAi2 TSi(10.2.0.0/16) TSr(10.1.0.0/16)", "", "SAr2 TSi(10.1.0.0/16) TSr(10.2.0.0/16)", "N(NO_PROPOSAL_CHOSEN)").Replace(line)
			if strings.HasPrefix(line, "child-installed") {
				continue
			}
		}
		if err := s.do(strings.ReplaceAll(line, "IKE ", ikeName(number)+" ")); err != nil {
			return err
		}
		if ok && strings.HasPrefix(line, last) {
			s.out.Reset()
			return nil
		}
	}
	switch a.words[0] {
	case "deleting":
		must(s.t, s.do("close "+ikeName(number)))
	case "lingering":
		sa := s.n.s.SA(number)
		must(s.t, s.do(fmt.Sprintf("peer-asks ike%d %d INFORMATIONAL {D(IKE)}", number, sa.Window.NextIn)))
	case "established":
	default:
		if !ok {
			return fmt.Errorf("no place %q in an SA's life", a.words[0])
		}
	}
	s.out.Reset()
	return nil
}

// do runs one command.
func (s *script) do(line string) error {
	words := splitWords(line)
	if err := command(words[0])(s, words[1:], ""); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

var asInitiator = []string{
	"initiate gw",
	"share-made IKE ",
	"advance 20ms",
	"answer IKE 0 IKE_SA_INIT {SAr1 KEr Nr NAT}",
	"agreed IKE ",
	"auth-made IKE ",
	"spi-allocated IKE ",
	"advance 20ms",
	"answer IKE 1 IKE_AUTH {IDr(east.example) AUTH SAr2 TSi(10.1.0.0/16) TSr(10.2.0.0/16)}",
	"authenticated IKE ",
	"child-installed IKE ",
}

var asResponder = []string{
	"peer-asks 0 IKE_SA_INIT {SAi1 KEi Ni NAT}",
	"advance 20ms",
	"peer-asks IKE 1 IKE_AUTH {IDi(east.example) IDr(west.example) AUTH SAi2 TSi(10.2.0.0/16) TSr(10.1.0.0/16)}",
	"authenticated IKE ",
	"child-installed IKE ",
}

// ids puts an established SA near the end of its message ids, as four milliards of requests would.
//
//	ids ike1 out=4294966270        ids ike1 in=4294967294
func (s *script) ids(words []string, _ string) error {
	a := argsOf(words)
	sa := s.n.s.SA(a.sa())
	if sa == nil {
		return fmt.Errorf("there is no such SA")
	}
	later := *sa
	if n := a.number("out"); n != 0 {
		later.Window.NextOut = uint32(n)
	}
	if n := a.number("in"); n != 0 {
		later.Window.NextIn, later.Window.Answered = uint32(n), nil
	}
	s.n.s.sas = s.n.s.sas.put(sa.Number, &later, math.MaxUint64) // of no batch
	return nil
}
