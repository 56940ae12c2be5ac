package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parse reads a scenario. Errors name the line.
func Parse(text string) (*File, error) {
	f := &File{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			if f.Title == "" {
				f.Title = strings.TrimSpace(line[1:])
			}
		case strings.HasPrefix(line, "E:"):
			f.Expected = append(f.Expected, strings.TrimSpace(line[2:]))
		case strings.HasPrefix(line, "check "):
			whole := line
			line, plain := strings.CutPrefix(line, "check plain ")
			c, err := parseCheck(strings.TrimSpace(strings.TrimPrefix(line, "check ")))
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			c.Line, c.Text, c.Plain = i+1, whole, plain
			f.Checks = append(f.Checks, c)
		default:
			for part := range strings.SplitSeq(line, ";") {
				s, err := parseStatement(strings.TrimSpace(part))
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", i+1, err)
				}
				s.Line, s.Text = i+1, strings.TrimSpace(part)
				f.Statements = append(f.Statements, s)
			}
		}
	}
	if len(f.Statements) == 0 {
		return nil, fmt.Errorf("nothing happens in it; try: A>q5 D(ike)")
	}
	return f, nil
}

// form is one way to say a statement: its named groups fill the fields.
type form struct {
	verb Verb
	re   *regexp.Regexp
}

const (
	message = `(?P<msg>[A-P]>[qr]\d+)`
	second  = `(?P<second>[A-P]>[qr]\d+)`
)

func say(verb Verb, pattern string) form {
	pattern = strings.NewReplacer("MSG", message, "SECOND", second, "WAIT", `(?P<wait>\d+(?:\.\d+)?(?:ms|s|m)?)`, "NODE", `(?P<node>[A-P]|both)`,
		"WHAT", `(?P<what>(?:INF|CCSA|AUTH|INIT|FU|D|N|TS)\S*(?: rekey [a-z0-9']+\))?(?: [a-z0-9']+\))?(?: (?:D|N)\([^)]*\))*)`,
		"REST", `(?P<rest>.*)`).Replace(pattern)
	return form{verb, regexp.MustCompile(`^(?:` + pattern + `)$`)}
}

var forms = []form{
	say(Sends, `MSG WHAT and SECOND (?P<what2>\S+(?: [a-z0-9']+\))?)(?P<word> cross| at the same instant)`),
	say(Sends, `MSG(?: WHAT)?(?: \((?P<note>[^)]*)\))?(?P<word> lost| ok)?(?: with REST)?(?: in (?P<count>\d+) fragments)?`),
	say(Lose, `lose (?P<count>\d+) MSG`),
	say(Lose, `lose (?P<share>\d+)% both ways`),
	say(Hold, `hold MSG WAIT`),
	say(Dup, `dup MSG`),
	say(Swap, `swap MSG SECOND`),
	say(Batch, `batch MSG SECOND`),
	say(Part, `part NODE\|(?P<other>[A-P]) (?P<from>[\d.]+)\.\.(?P<until>[\d.]*)`),
	say(Crash, `crash NODE at >(?P<label>[qr]\d+)(?P<word> ?\+bytes)?`),
	say(Crash, `crash NODE`),
	say(Recover, `recover`),
	say(Slow, `slow NODE ask\((?P<word>[a-z]+)\) WAIT`),
	say(Fail, `fail NODE (?P<word>install|allocate|remove)(?: (?P<count>\d+))?`),
	say(Command, `cmd NODE (?P<word>delete|shutdown|initiate|load|add|restart|reload|kill)(?: REST)?`),
	say(Quiet, `quiet`),
	say(Settings, `config (?P<word>[a-z_-]+)=REST`),
	say(Creds, `creds at NODE: (?P<word>.*)`),
	say(SAs, `(?P<count>\d+) SAs(?: REST)?`),
	say(Children, `(?P<count>\d+) child(?:ren)?(?: REST)?`),
	say(SetUps, `(?P<count>\d+) set-ups in flight`),
	say(Wish, `intent NODE (?P<word>[a-z-]+)(?: REST)?`),
	say(Address, `addr NODE (?P<word>change)(?: REST)?`),
	say(Raw, `NODE raw (?:(?P<count>\d+) x )?(?P<word>[a-z0-9-]+)(?: REST)?`),
	say(Seed, `seed (?P<count>\d+)(?: REST)?`),
	say(Only, `only REST`),
	say(Search, `search (?P<word>set-ups) losses=(?P<count>\d+)`),
	say(Expire, `expire NODE (?P<word>\S+)(?: REST)?`),
	say(Acquire, `acquire NODE (?P<word>\S+)`),
}

var clock = regexp.MustCompile(`^@([\d.]+)\s+`)

func parseStatement(text string) (s Statement, err error) {
	whole := text
	if m := clock.FindStringSubmatch(text); m != nil {
		if s.At, err = parseWait(m[1]); err != nil {
			return s, err
		}
		s.Timed, text = true, text[len(m[0]):]
	}
	for _, f := range forms {
		if m := f.re.FindStringSubmatch(text); m != nil {
			s.Verb = f.verb
			return s, s.fill(f.re, m)
		}
	}
	return s, fmt.Errorf("%q is no statement; try: A>q5 D(ike), lose 2 B>r5, part A|B 10..40, crash A at >q5, cmd A shutdown 30", whole)
}

// fill puts the groups of a form into the statement.
func (s *Statement) fill(re *regexp.Regexp, m []string) (err error) {
	for i, name := range re.SubexpNames() {
		v := strings.TrimSpace(m[i])
		if name == "" || v == "" {
			continue
		}
		var bad error
		switch name {
		case "msg":
			s.Msg, bad = parseMessage(v, s.Msg)
			s.Node = s.Msg.Sender
		case "second":
			s.Second, bad = parseMessage(v, s.Second)
		case "label":
			s.Msg, bad = parseMessage(s.Node+">"+v, s.Msg)
		case "what":
			s.Msg.What = v
		case "what2":
			s.Second.What = v
		case "note":
			s.Msg.Note = v
		case "node":
			s.Node = v
		case "other":
			s.Other = v
		case "count":
			s.Count, bad = strconv.Atoi(v)
		case "share":
			s.Share, bad = strconv.ParseFloat(v, 64)
			s.Share /= 100
		case "from":
			s.From, bad = parseWait(v)
		case "until", "wait":
			s.Until, bad = parseWait(v)
		case "word":
			s.Word = v
		case "rest":
			s.Rest = v
		}
		if bad != nil {
			return bad
		}
	}
	return nil
}

func parseMessage(v string, into Message) (Message, error) {
	id, err := strconv.ParseUint(v[3:], 10, 32)
	into.Sender, into.Response, into.ID = v[:1], v[2] == 'r', uint32(id)
	return into, err
}

// parseWait is a time in seconds, or with its unit.
func parseWait(v string) (time.Duration, error) {
	if last := v[len(v)-1]; last >= '0' && last <= '9' {
		v += "s"
	}
	return time.ParseDuration(v)
}
