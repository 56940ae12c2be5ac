package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report collects problems, each once: a value that many sections inherit is reported where it is written.
type report struct {
	problems []Problem
	seen     map[Problem]bool
}

// add reports "<what> in <path>; <advice>", without a path at the top level.
func (r *report) add(pos Pos, severity Severity, path, what, advice string) {
	key := Problem{Pos: pos, Severity: severity, Text: what + "\x00" + advice}
	if pos.Line == 0 {
		key.Text += path
	}
	if r.seen[key] {
		return
	}
	if r.seen == nil {
		r.seen = map[Problem]bool{}
	}
	r.seen[key] = true
	if path != "" {
		what += " in " + path
	}
	r.problems = append(r.problems, Problem{Pos: pos, Severity: severity, Text: what + "; " + advice})
}

// reader gives the values of one section their types, and reports what is wrong with them.
type reader struct {
	*report
	section *Section
	path    string // "connections.gw.children.net"
	keys    []KeyDoc
	hide    bool // an unknown key may be a piece of a secret: its name is not shown
}

func newReader(r *report, s *Section, path string, keys []KeyDoc) *reader {
	return &reader{report: r, section: s, path: path, keys: keys}
}

func (r *reader) fail(pos Pos, what, advice string) { r.add(pos, Error, r.path, what, advice) }

// failValue reports a value; err says what to write instead.
func (r *reader) failValue(v Value, err error) {
	r.fail(v.Pos, fmt.Sprintf("%s = %s", v.Key, shown(v)), err.Error())
}

// failError reports an error that ends in what to do next, as ours do; otherwise is for one that does not.
func (r *reader) failError(pos Pos, err error, otherwise string) {
	what, advice := err.Error(), otherwise
	if i := strings.LastIndex(what, "; "); i >= 0 {
		what, advice = what[:i], what[i+2:]
	}
	r.fail(pos, what, advice)
}

// shown is a value as an error shows it: quoted, and not at length.
func shown(v Value) string {
	text := v.Text
	if v.Items != nil {
		text = strings.Join(v.Items, ",")
	}
	if len(text) > 60 {
		text = text[:57] + "..."
	}
	return strconv.Quote(text)
}

// checkKeys reports every key that is unknown, has no effect, or asks for what is not built. sections are the names of
// the sections that may be inside, a "*" at the end standing for any suffix.
func (r *reader) checkKeys(sections ...string) {
	for _, v := range r.section.Values {
		doc, known := findKey(r.keys, v.Key)
		switch {
		case !known && r.hide:
			r.fail(v.Pos, "unknown key", usedKeys(r.keys))
		case !known:
			r.fail(v.Pos, fmt.Sprintf("unknown key %q", v.Key), didYouMean(v.Key, keyNames(r.keys), usedKeys(r.keys)))
		case doc.Use == Used, slices.Contains(doc.Neutral, strings.ToLower(v.Text)):
		case doc.Use == Ignored:
			r.add(v.Pos, Warning, r.path, v.Key+" has no effect", doc.Why)
		case doc.Use == Refused:
			r.fail(v.Pos, v.Key+" is not supported", doc.Why)
		}
	}
	for _, sub := range r.section.Sections {
		if slices.ContainsFunc(sections, func(pattern string) bool { return matches(pattern, sub.Name) }) {
			continue
		}
		advice := "no section may be inside it"
		if len(sections) > 0 {
			advice = didYouMean(sub.Name, sections, "the sections are: "+strings.Join(sections, ", "))
		}
		what := fmt.Sprintf("unknown section %q", sub.Name)
		if r.hide {
			what = "a section"
		}
		r.fail(sub.Pos, what, advice)
	}
}

// matches compares a name with a pattern that may end in "*".
func matches(pattern, name string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return name == prefix || open && strings.HasPrefix(name, prefix)
}

// read calls parse with the value of a key, where it is set, and reports parse's error.
func (r *reader) read(key string, parse func(string) error) (set bool) {
	v, ok := r.section.Lookup(key)
	if !ok {
		return false
	}
	if err := parse(v.Text); err != nil {
		r.failValue(v, err)
	}
	return true
}

func (r *reader) time(key string, otherwise time.Duration) time.Duration {
	value := otherwise
	r.read(key, func(text string) error { return assign(&value, text, ParseTime) })
	return value
}

func (r *reader) size(key string, otherwise uint64) uint64 {
	value := otherwise
	r.read(key, func(text string) error { return assign(&value, text, parseSize) })
	return value
}

func (r *reader) number(key string, otherwise, most uint64) uint64 {
	value := otherwise
	r.read(key, func(text string) error {
		return assign(&value, text, func(text string) (uint64, error) { return parseNumber(text, most) })
	})
	return value
}

func (r *reader) bool(key string, otherwise bool) bool {
	value := otherwise
	r.read(key, func(text string) error { return assign(&value, text, parseBool) })
	return value
}

// assign keeps the old value where the text is wrong.
func assign[T any](to *T, text string, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err == nil {
		*to = value
	}
	return err
}

// list calls parse for each entry of a list.
func (r *reader) list(key string, parse func(string) error) (set bool) {
	v, ok := r.section.Lookup(key)
	if !ok {
		return false
	}
	for _, item := range v.List() {
		if err := parse(item); err != nil {
			r.failValue(Value{Key: key, Text: item, Pos: v.Pos}, err)
		}
	}
	return true
}

// choice is one allowed word of a key. Refuse says why a word that strongSwan has cannot be used here.
type choice[T any] struct {
	word   string
	value  T
	refuse string
}

func choose[T any](r *reader, key string, otherwise T, choices []choice[T]) T {
	value := otherwise
	r.read(key, func(text string) error {
		var words []string
		for _, c := range choices {
			if c.word == strings.ToLower(text) {
				if c.refuse != "" {
					return fmt.Errorf("%s", c.refuse)
				}
				value = c.value
				return nil
			}
			if c.refuse == "" {
				words = append(words, c.word)
			}
		}
		return fmt.Errorf("write one of: %s", strings.Join(words, ", "))
	})
	return value
}
