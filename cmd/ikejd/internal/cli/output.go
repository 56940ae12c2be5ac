package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// out is where a command prints: lines are cut at --width, or at the terminal's.
func (a *app) out() io.Writer {
	width := a.width
	if width == 0 {
		width = a.std.Width
	}
	if width <= 0 || a.json {
		return a.std.Out
	}
	return &cutter{w: a.std.Out, width: width}
}

// cutter cuts lines that are too long for where they are read.
type cutter struct {
	w     io.Writer
	width int
	part  []byte // a line whose end has not come
}

func (c *cutter) Write(b []byte) (int, error) {
	c.part = append(c.part, b...)
	for {
		i := bytes.IndexByte(c.part, '\n')
		if i < 0 {
			return len(b), nil
		}
		line := string(c.part[:i])
		c.part = c.part[i+1:]
		plain := strings.TrimSuffix(strings.TrimPrefix(line, boldOn), boldOff)
		if utf8.RuneCountInString(plain) > c.width {
			line = strings.Replace(line, plain, string([]rune(plain)[:c.width-1])+"…", 1)
		}
		if _, err := io.WriteString(c.w, line+"\n"); err != nil {
			return 0, err
		}
	}
}

// strong is a line that a terminal shows in bold: a verdict that something is wrong.
func (a *app) strong(s string) string {
	if !a.std.Terminal || a.noColor {
		return s
	}
	return boldOn + s + boldOff
}

const boldOn, boldOff = "\x1b[1m", "\x1b[0m"

// object prints v as one line. Beyond ASCII everything is escaped, so that what a peer chose may be printed.
func (a *app) object(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	var line strings.Builder
	for _, r := range b.String() {
		if r < 0x7f {
			line.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&line, `\u%04x`, unit)
		}
	}
	_, err := io.WriteString(a.std.Out, line.String())
	return err
}

// rfc3339 is a time for programs; empty for none.
func rfc3339(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
}

// columns prints cells under one another, the first row as headings; column right to the right, all others to the left.
func columns(w io.Writer, cells [][]string, right int) {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range cells {
		var line strings.Builder
		for i, cell := range row {
			if i == right {
				fmt.Fprintf(&line, "%*s  ", widths[i], cell)
			} else {
				fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
