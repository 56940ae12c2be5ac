package mini

import (
	"fmt"
	"strings"
)

// The notation. A line is one step: the words of its event and its effects, in order. A line without an event is an
// operator's. `sa2: ` before it names another SA than sa1; # begins a comment.
//
//	events      start  config(k=v …)  recover  end  cmd(up)  cmd(close)  cmd(close c1)  cmd(shutdown 30)  cmd(shutdown 30 keep)
//	            <q0 INF …  <r5 INF …  a request, a response comes; <q0 alone, once it is answered, is a repeat
//	            T  T(linger)  a timer fires, at its time     done(ke|agree|make|check|spi c1|install c1|remove c1 …)
//	            door  poison                                 +k(c1) is done(install c1)
//	effects     >q5 INF …  >r0 INF …  recorded and sent      =q5 =r0  sent again, same bytes     ~q5 ~r0  other bytes
//	            !Half !Est !Del !Ling(cause) !Gone(cause)    ?(why)  the event changes nothing
//	            child(c1)  child(c1 up)  child(c1 gone)      -k(c1) -k(c1 in) -k(c1 out)  kernel removal
//	            -key  -key(7)   ask(ke|agree|make|check|spi c1|install c1)   want(delete-ike)   drop(delete-ike)
//	            A(discard 60)  disarm(discard)   refuse(COOKIE)   report   report(acked=2)
//	payloads    D(ike) D(c1) D(c1 c2) D(theirs c1) N(NAME) N(WINDOW 4) N(COOKIE) INIT AUTH, after the exchange
//	            INIT, AUTH, CCSA, INF
//	modifiers   @12 seconds since the story began   from(p2) to(p2) another place   bare  without Encrypted payload
//	            of(q4)  bytes of another message    new  a request of new bytes     less(kind)  leave out what is implied
//	            because(none|step 7|future)         skip  a step number is left out   stall  no answer from the kernel
//
//
// Beside the steps of the journal a line may tell
//
//	wire >q5   wire <r5     a frame of a capture at this host: the octets of that message; ~r5 other octets
//	wire(closed) <r5        it meets a port where nobody listens, and the host says so
//	wire >keepalive   wire <keepalive   wire >unknown(40)   40 clear answers about SPIs that are not known; @12 as below
//	told(effects …)  told(state …)  told(storage …)   what a replay or a reader of the file found; told(state missing …)
//	with(responder)         another node's journal begins, of the other end, or after 60 s of this end, with(established 60)
//
// Causes: acked unack cutoff gave-up peer both replaced superseded refused syntax lost none.

// word is one word of a line: a name, its arguments in parentheses, and for messages the words that follow.
type word struct {
	name string
	args []string
	rest []word // of a message: exchange and payloads
}

// argument i of the word, empty where there is none.
func (w word) arg(i int) string {
	if i < len(w.args) {
		return w.args[i]
	}
	return ""
}

// split makes words of a line.
func split(line string) ([]word, error) {
	if i := strings.Index(line, "#"); i >= 0 {
		line = line[:i]
	}
	var words []word
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := strings.IndexAny(line, " (")
		if end < 0 {
			end = len(line)
		}
		w := word{name: line[:end]}
		line = line[end:]
		if strings.HasPrefix(line, "(") {
			shut := strings.IndexByte(line, ')')
			if shut < 0 {
				return nil, fmt.Errorf("%s( is not closed", w.name)
			}
			w.args = strings.Fields(strings.ReplaceAll(line[1:shut], ",", " "))
			line = line[shut+1:]
		}
		words = append(words, w)
	}
	return gather(words), nil
}

// payloadWords are words that belong to the message before them.
var payloadWords = map[string]bool{"INIT": true, "AUTH": true, "CCSA": true, "INF": true, "D": true, "N": true, "bare": true, "from": true,
	"to": true, "of": true, "new": true, "flag": true, "spis": true, "iv": true, "NAT": true, "group": true}

func gather(words []word) []word {
	var all []word
	for _, w := range words {
		if payloadWords[w.name] && len(all) > 0 && isMessage(all[len(all)-1].name) {
			last := &all[len(all)-1]
			last.rest = append(last.rest, w)
			continue
		}
		all = append(all, w)
	}
	return all
}

func isMessage(name string) bool {
	if len(name) < 3 {
		return false
	}
	switch name[:2] {
	case ">q", ">r", "<q", "<r", "=q", "=r", "~q", "~r":
		return true
	}
	return false
}

// has is the payload word of that name.
func (w word) has(name string) (word, bool) {
	for _, r := range w.rest {
		if r.name == name {
			return r, true
		}
	}
	return word{}, false
}
