package conf

import (
	"fmt"
	"os"
	"strings"
)

// The grammar of strongswan.conf(5): a section holds `key = value` lines, `name { ... }` sections, `name : other { ...
// }` sections that inherit, and `include pattern` lines.

// Ours: bounds on what a configuration may cost to read. The largest real ones have thousands of connections, four
// levels deep.
const (
	maxFileSize     = 16 << 20
	maxNesting      = 32
	maxIncludeDepth = 16
	maxFiles        = 4096
	maxNodes        = 1 << 22 // sections and values after inheritance
)

// Parse reads the file at path with all it includes, and brings inherited sections in. The tree is what could be
// understood, nil where the braces or the files do not allow that.
func Parse(path string) (*Section, []Problem) {
	root, _, problems := parse(func(p *parser) { p.readFile(path, p.root, nil) })
	return root, problems
}

// ParseText is Parse for a text in memory; file is what its positions name, and relative includes start from.
func ParseText(file, text string) (*Section, []Problem) {
	root, _, problems := parse(func(p *parser) { p.readText(file, text, p.root, []string{file}) })
	return root, problems
}

// parse also gives the names of the top-level sections that something inherits from.
func parse(read func(*parser)) (root *Section, referred map[string]bool, problems []Problem) {
	p := &parser{root: &Section{}, referred: map[string]bool{}}
	read(p)
	if !p.broken {
		resolve(p)
	}
	if p.broken {
		return nil, nil, p.problems
	}
	return p.root, p.referred, p.problems
}

type parser struct {
	root     *Section
	files    int
	nodes    int
	referred map[string]bool
	broken   bool // too much is missing to look for more
	problems []Problem
}

func (p *parser) report(pos Pos, severity Severity, format string, args ...any) {
	p.problems = append(p.problems, Problem{Pos: pos, Severity: severity, Text: fmt.Sprintf(format, args...)})
}

func (p *parser) fail(pos Pos, format string, args ...any) { p.report(pos, Error, format, args...) }

// giveUp reports an error after which the rest of the file would be misread.
func (p *parser) giveUp(pos Pos, format string, args ...any) {
	p.fail(pos, format, args...)
	p.broken = true
}

// readFile reads one file into a section. from are the files that led here, this one not yet among them.
func (p *parser) readFile(path string, into *Section, from []string) {
	whole := Pos{File: path}
	if p.files++; p.files > maxFiles {
		p.giveUp(whole, "more than %d files are included; is there a pattern that matches too much?", maxFiles)
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		p.giveUp(whole, "cannot be read: %v; give another file, or make it readable", unwrapPath(err))
		return
	case info.IsDir():
		p.giveUp(whole, "is a directory; name the files in it, such as %s/*.conf", path)
		return
	case info.Size() > maxFileSize:
		p.giveUp(whole, "has %d octets and %d are allowed; split it with include", info.Size(), maxFileSize)
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		p.giveUp(whole, "cannot be read: %v; make it readable for the user the daemon runs as", unwrapPath(err))
		return
	}
	p.readText(path, string(text), into, append(from[:len(from):len(from)], path))
}

// readText parses the contents of a file into a section.
func (p *parser) readText(file, text string, into *Section, from []string) {
	if i := strings.IndexByte(text, 0); i >= 0 {
		p.giveUp(Pos{File: file, Line: 1 + strings.Count(text[:i], "\n")}, "a zero octet; is this a text file?")
		return
	}
	b := body{parser: p, from: from}
	b.lexer = &lexer{file: file, line: 1, rest: strings.TrimPrefix(text, "\ufeff"), report: p.report}
	b.section(into, 0)
}

// body is the parse of one file.
type body struct {
	*parser
	*lexer
	from []string // the files that led here, this one last
}

// section reads up to the brace that closes it, or to the end of the file at depth 0.
func (b *body) section(s *Section, depth int) {
	opened := b.pos()
	for !b.broken {
		t := b.next()
		switch t.kind {
		case tokenNewline:
		case tokenEnd:
			if depth > 0 {
				b.giveUp(opened, `section %q is not closed; write } after its last line`, s.Name)
			}
			return
		case tokenClose:
			if depth > 0 {
				return
			}
			b.giveUp(t.pos, `one "}" too many; remove it, or look above it for a section that closed early`)
		case tokenName:
			b.statement(s, t, depth)
		case tokenOpen, tokenAssign, tokenColon, tokenComma:
			b.fail(t.pos, "%s without a name before it; write: name = value, or name { ... }", t.kind)
			if t.kind == tokenOpen {
				b.broken = true
			}
			b.skipLine()
		}
	}
}

// statement is what begins with a name.
func (b *body) statement(s *Section, name token, depth int) {
	if name.text == "include" && b.includes() {
		b.include(s, name.pos)
		return
	}
	mark := *b.lexer
	t := b.next()
	switch {
	case t.kind == tokenAssign:
		b.assign(s, name)
	case t.kind == tokenColon && secretKey(name.text):
		b.fail(name.pos, `":" after %q; write: %s = "..."`, name.text, name.text) // and not a word of what follows
		b.skipLine()
	case t.kind == tokenColon:
		b.open(s, name, b.references(name), depth)
	case t.kind == tokenOpen:
		b.enter(s, name, nil, depth)
	case t.kind == tokenNewline && b.opensNext():
		b.enter(s, name, nil, depth)
	case t.kind == tokenName && strings.HasSuffix(name.text, "+") || t.kind == tokenName && t.text == "+":
		b.fail(name.pos, `"+=" is not in this grammar; write the whole list after %s =`, strings.TrimSuffix(name.text, "+"))
		b.skipLine()
	default:
		b.fail(name.pos, `%s where "=" or "{" is expected; write: name = value, or name { ... }`, t.kind)
		if t.kind == tokenClose {
			*b.lexer = mark // it closes the section all the same
		} else if t.kind != tokenNewline {
			b.skipLine()
		}
	}
}

func (b *body) assign(s *Section, key token) {
	name, appends := strings.CutSuffix(key.text, "+")
	text, given := b.value()
	switch {
	case appends:
		b.fail(key.pos, `"+=" is not in this grammar; write the whole list after %s =`, name)
	case given && text == "{":
		b.giveUp(key.pos, "%s = { begins no section; write %s { ... } without the =, or quote the value", key.text, key.text)
	default:
		b.count(key.pos)
		s.Set(Value{Key: key.text, Text: text, Pos: key.pos})
	}
}

// references are the names after the colon.
func (b *body) references(name token) []reference {
	var refs []reference
	for {
		mark := *b.lexer
		t := b.next()
		if t.kind != tokenName {
			b.fail(name.pos, `%s where the name of a section is expected; write: %s : other.section { ... }`, t.kind, name.text)
			*b.lexer = mark
			return refs
		}
		refs = append(refs, reference{name: t.text, pos: t.pos})
		mark = *b.lexer
		if b.next().kind != tokenComma {
			*b.lexer = mark
			return refs
		}
	}
}

// open goes on after `name : refs`. Without a brace the section is all inherited.
func (b *body) open(s *Section, name token, refs []reference, depth int) {
	if b.opensNext() {
		b.enter(s, name, refs, depth)
		return
	}
	sub := s.Add(name.text, name.pos)
	sub.refs = append(sub.refs, refs...)
	b.count(name.pos)
}

// enter reads the section whose brace has just been read. One that is there already is extended.
func (b *body) enter(s *Section, name token, refs []reference, depth int) {
	if depth+1 > maxNesting {
		b.giveUp(name.pos, "sections are nested more than %d deep; is a } missing above?", maxNesting)
		return
	}
	b.count(name.pos)
	sub := s.Add(name.text, name.pos)
	sub.refs = append(sub.refs, refs...)
	b.section(sub, depth+1)
}

// opensNext consumes newlines and a brace if that is what comes next, else nothing.
func (b *body) opensNext() bool {
	mark := *b.lexer
	t := b.next()
	for t.kind == tokenNewline {
		t = b.next()
	}
	if t.kind == tokenOpen {
		return true
	}
	*b.lexer = mark
	return false
}

// skipLine goes to the end of the line after an error, so that the next line is looked at on its own.
func (b *body) skipLine() {
	if i := strings.IndexByte(b.rest, '\n'); i >= 0 {
		b.rest = b.rest[i:]
	} else {
		b.rest = ""
	}
}

// count stops a file that would take too much memory.
func (p *parser) count(pos Pos) {
	p.countN(pos, 1)
}

func (p *parser) countN(pos Pos, n int) {
	if p.nodes += n; p.nodes > maxNodes && !p.broken {
		p.giveUp(pos, "more than %d sections and values with those inherited; split the configuration", maxNodes)
	}
}
