package mini

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
)

// What a mini journal begins with.
const (
	Nothing     = "nothing"     // one run, no SA
	HalfOpen    = "half-open"   // an SA we began, IKE_SA_INIT answered
	Asked       = "asked"       // an SA the peer began, IKE_SA_INIT answered
	Established = "established" // an SA we began, with child c1
	Responder   = "responder"   // an SA the peer began, with child c1
)

var beginnings = map[string]string{
	Nothing: "",
	HalfOpen: `cmd(up) !Half ask(ke)
done(ke) >q0 INIT`,
	Asked: `<q0 INIT !Half >r0 INIT A(half 30)`,
	Established: `cmd(up) !Half ask(ke)
done(ke) >q0 INIT
<r0 INIT ask(agree)
done(agree) ask(make) child(c1) ask(spi c1)
done(make)
done(spi c1) >q1 AUTH
<r1 AUTH ask(check)
done(check) !Est ask(install c1)
done(install c1)`,
	Responder: `<q0 INIT !Half >r0 INIT A(half 30)
<q1 AUTH ask(check)
done(check) child(c1) ask(install c1)
done(install c1) >r1 AUTH disarm(half) !Est`,
}

// Story is a mini journal made into records.
type Story struct {
	Records []*record.Record
	First   uint64   // the step of its first own line
	Beside  []Beside // what is told between records, in order
	With    *Story   // the journal of another node
}

// Records makes the records
// Records makes the records of text, after what given names. In an established SA ids are brought to those the text
// begins with: `>q5` is the first request of the text, so requests up to 4 were asked and answered before.
func Records(given, text string) (*Story, error) {
	begin, ok := beginnings[given]
	if !ok {
		return nil, fmt.Errorf("a mini journal begins with %q, not with nothing, half-open, asked, established or responder", given)
	}
	return records(newBuilder(), begin, given, text)
}

func records(b *builder, begin, given, text string) (*Story, error) {
	text, other, joint := strings.Cut(text, "with(")
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if !strings.HasPrefix(strings.TrimSpace(text), "start") {
		if err := b.lines("start\nconfig"); err != nil {
			return nil, err
		}
	}
	if begin != "" {
		for _, name := range prefixes(lines) {
			b.current = name
			if err := b.lines(begin); err != nil {
				return nil, err
			}
			if given == Established || given == Responder {
				if err := b.advance(name, lines); err != nil {
					return nil, err
				}
			}
		}
	}
	b.settle()
	first := b.step + 1
	b.began = b.now
	for i, line := range lines {
		if err := b.line(line); err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", i+1, line, err)
		}
	}
	if err := b.octets(); err != nil {
		return nil, err
	}
	story := &Story{Records: b.records, First: first, Beside: b.beside}
	if !joint {
		return story, nil
	}
	args, rest, _ := strings.Cut(other, ")")
	theirs, after, _ := strings.Cut(args, " ")
	begin, ok := beginnings[theirs]
	if !ok {
		return nil, fmt.Errorf("with(%s): a journal does not begin so", theirs)
	}
	var err error
	story.With, err = records(b.mirror(theirs != given, after), begin, theirs, strings.TrimPrefix(rest, "\n"))
	return story, err
}

// prefixes are the SAs of a text: sa1, sa2 where lines name them, else one.
func prefixes(lines []string) []string {
	var names []string
	seen := map[string]bool{}
	for _, l := range lines {
		name, _, ok := strings.Cut(strings.TrimSpace(l), ":")
		if ok && strings.HasPrefix(name, "sa") && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if names == nil {
		return []string{"sa1"}
	}
	return names
}

// mostAdvance is how many exchanges are made up; an id further away is jumped to.
const mostAdvance = 16

// advance brings the SA's ids to the first that the text uses in each direction.
func (b *builder) advance(name string, lines []string) error {
	s := b.sas[name]
	out, in := int64(-1), int64(-1)
	for _, l := range lines {
		prefix, rest, ok := strings.Cut(strings.TrimSpace(l), ": ")
		if !ok {
			prefix, rest = "sa1", l
		}
		if prefix != name || strings.HasPrefix(strings.TrimSpace(l), "#") {
			continue
		}
		for _, word := range strings.Fields(rest) {
			if id, ok := idOf(word, ">q", "=q", "~q", "<r"); ok && out < 0 {
				out = id
			}
			if id, ok := idOf(word, "<q", "=r", "~r", ">r"); ok && in < 0 {
				in = id
			}
		}
	}
	for int64(s.nextOut) < out && out-int64(s.nextOut) <= mostAdvance {
		if err := b.lines(fmt.Sprintf(">q%d INF\n<r%d INF", s.nextOut, s.nextOut)); err != nil {
			return err
		}
	}
	for int64(s.nextIn) < in && in-int64(s.nextIn) <= mostAdvance {
		if err := b.lines(fmt.Sprintf("<q%d INF >r%d INF", s.nextIn, s.nextIn)); err != nil {
			return err
		}
	}
	return nil
}

func idOf(word string, starts ...string) (int64, bool) {
	for _, start := range starts {
		if rest, ok := strings.CutPrefix(word, start); ok {
			id, err := strconv.ParseUint(strings.TrimRight(rest, ":"), 10, 32)
			return int64(id), err == nil
		}
	}
	return 0, false
}

// lines is several lines, of the SA at hand.
func (b *builder) lines(text string) error {
	for _, l := range strings.Split(text, "\n") {
		if err := b.line(l); err != nil {
			return fmt.Errorf("%q: %w", l, err)
		}
	}
	return nil
}
