package conf

import "strings"

// The lexical half of strongSwan's grammar (strongswan.conf(5), "Syntax"): names, the signs { } = : , and newlines,
// where a "#" outside quotes starts a comment. What may stand in a value differs from what may stand in a name, so the
// parser says which of the two it wants next.

type tokenKind int

const (
	tokenEnd tokenKind = iota // of the file
	tokenNewline
	tokenName
	tokenOpen   // {
	tokenClose  // }
	tokenAssign // =
	tokenColon  // :
	tokenComma  // ,
)

// String is the token as an error message shows it.
func (k tokenKind) String() string {
	return [...]string{"the end of the file", "the end of the line", "a name", `"{"`, `"}"`, `"="`, `":"`, `","`}[k]
}

// token has no String: what a line holds may be a misplaced secret, so no error shows it.
type token struct {
	kind tokenKind
	text string // of a name
	pos  Pos
}

type lexer struct {
	file   string
	line   int
	rest   string
	report func(Pos, Severity, string, ...any)
}

func (l *lexer) pos() Pos { return Pos{File: l.file, Line: l.line} }

// signs are the octets that end a name.
const signs = "{}=:,\"# \t\r\n"

// next is the next token where a name may stand. A backslash at the end of a line joins it with the next one.
func (l *lexer) next() token {
	for {
		l.skipBlanks()
		if l.rest == "" {
			return token{kind: tokenEnd, pos: l.pos()}
		}
		t := token{pos: l.pos()}
		switch l.rest[0] {
		case '#':
			l.skipComment()
			continue
		case '\n':
			t.kind = tokenNewline
			l.line++
		case '{':
			t.kind = tokenOpen
		case '}':
			t.kind = tokenClose
		case '=':
			t.kind = tokenAssign
		case ':':
			t.kind = tokenColon
		case ',':
			t.kind = tokenComma
		case '"':
			l.quoted()
			l.report(t.pos, Error, "a quoted text stands where a name is expected; write: name = \"text\"")
			continue
		default:
			t.kind = tokenName
			t.text, l.rest = cutAny(l.rest, signs)
			return t
		}
		l.rest = l.rest[1:]
		return t
	}
}

// value is the text up to the end of the line, a "}" or a comment. Words are joined by one space; what is in quotes
// keeps its blanks, signs and newlines. given tells `key =` from `key = ""`.
func (l *lexer) value() (text string, given bool) {
	var words []string
	for {
		l.skipBlanks()
		if l.rest == "" {
			break
		}
		switch l.rest[0] {
		case '#':
			l.skipComment()
			continue
		case '\n', '}':
			return strings.Join(words, " "), given
		case '"':
			at := l.pos()
			word, closed := l.quoted()
			if !closed {
				l.report(at, Error, `a quote is opened here and never closed; write " at the end of the value`)
			}
			words = append(words, word)
		default:
			var word string
			word, l.rest = cutAny(l.rest, "#}\" \t\r\n")
			words = append(words, word)
			if strings.HasPrefix(l.rest, "#") {
				l.report(l.pos(), Warning, "a comment begins inside this value; put the value in quotes if the # belongs to it, else a blank before the #")
			}
		}
		given = true
	}
	return strings.Join(words, " "), given
}

// path is the rest of the line after "include".
func (l *lexer) path() string {
	text, _ := l.value()
	return text
}

// quoted reads a quoted string and its escapes: \n \r \t \b \f, a backslash before the end of a line joins the lines,
// before anything else it stands for what follows.
func (l *lexer) quoted() (text string, closed bool) {
	var b strings.Builder
	l.rest = l.rest[1:]
	for l.rest != "" {
		c := l.rest[0]
		l.rest = l.rest[1:]
		switch {
		case c == '"':
			return b.String(), true
		case c == '\\' && l.rest != "":
			b.WriteString(l.escaped())
		default:
			if c == '\n' {
				l.line++
			}
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

func (l *lexer) escaped() string {
	if strings.HasPrefix(l.rest, "\r\n") {
		l.rest = l.rest[1:]
	}
	c := l.rest[0]
	l.rest = l.rest[1:]
	switch c {
	case '\n':
		l.line++
		return ""
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case 'b':
		return "\b"
	case 'f':
		return "\f"
	}
	return string([]byte{c})
}

// skipBlanks also skips a backslash at the end of a line together with that end.
func (l *lexer) skipBlanks() {
	for {
		l.rest = strings.TrimLeft(l.rest, " \t\r")
		rest, joined := strings.CutPrefix(l.rest, "\\\n")
		if !joined {
			if rest, joined = strings.CutPrefix(l.rest, "\\\r\n"); !joined {
				return
			}
		}
		l.rest = rest
		l.line++
	}
}

func (l *lexer) skipComment() {
	if i := strings.IndexByte(l.rest, '\n'); i >= 0 {
		l.rest = l.rest[i:]
	} else {
		l.rest = ""
	}
}

// cutAny splits s before the first octet that is one of any, or before a backslash at the end of a line.
func cutAny(s, any string) (before, after string) {
	for i := range len(s) {
		if strings.IndexByte(any, s[i]) >= 0 ||
			s[i] == '\\' && (strings.HasPrefix(s[i:], "\\\n") || strings.HasPrefix(s[i:], "\\\r\n")) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}
