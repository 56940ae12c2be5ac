package conf

import (
	"fmt"
	"slices"
)

// Pos is where something was written. Line counts from 1; Line 0 is the file as a whole, File "" is not a file (a
// message over the control socket).
type Pos struct {
	File string
	Line int
}

// String is "file:12", "file", or "" where nothing is known.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Severity says what a Problem does to the configuration.
type Severity int

const (
	// Warning: the setting has no effect here, and leaving it out weakens nothing.
	Warning Severity = iota
	// Error: the configuration cannot be used.
	Error
)

// String is "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Problem is one thing that is wrong with a configuration. Text names the thing and ends in what to write instead; it
// never holds a secret.
type Problem struct {
	Pos      Pos
	Severity Severity
	Text     string
}

// String is one line: "swanctl.conf:12: unknown key ...", with "warning: " before the text of a warning.
func (p Problem) String() string {
	text := p.Text
	if p.Severity == Warning {
		text = "warning: " + text
	}
	if at := p.Pos.String(); at != "" {
		return at + ": " + text
	}
	return text
}

// HasErrors reports whether problems hold at least one Error.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}
