package conf

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// includes says whether the word "include" that was just read is a statement: a key or a section may have that name.
func (b *body) includes() bool {
	mark := *b.lexer
	kind := b.next().kind
	*b.lexer = mark
	return kind != tokenAssign && kind != tokenOpen && kind != tokenColon
}

// include reads every file that matches the pattern into the section the line stands in, in the order of their names. A
// relative pattern starts from the directory of the including file. Wildcards that match nothing are nothing; a plain
// name must be there.
func (b *body) include(s *Section, at Pos) {
	pattern := b.path()
	if pattern == "" {
		b.fail(at, "include names no file; write: include conf.d/*.conf")
		return
	}
	if len(b.from) > maxIncludeDepth {
		b.fail(at, "files include one another more than %d deep; include them from one place", maxIncludeDepth)
		return
	}
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(b.file), pattern)
	}
	matches, err := filepath.Glob(pattern)
	if err != nil {
		b.fail(at, "include %s: not a pattern: %v; close its brackets", pattern, err)
		return
	}
	if len(matches) == 0 && !strings.ContainsAny(pattern, "*?[") {
		b.fail(at, "include %s: no such file; correct the name, or remove the line", pattern)
		return
	}
	slices.Sort(matches)
	for _, match := range matches {
		if slices.Contains(b.from, match) {
			b.fail(at, "include %s: that file is being read already; remove the include that leads back to it", match)
			continue
		}
		b.readFile(match, s, b.from)
	}
}

// unwrapPath drops the operation and the path from a file system error: the Problem names the file.
func unwrapPath(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}
