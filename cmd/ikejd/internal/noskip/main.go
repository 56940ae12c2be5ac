package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	os.Exit(report(os.Stdin, os.Stdout, os.Getenv("CI") != ""))
}

// event is one line of the stream (go doc test2json). Test is empty when the line is about the whole package.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// report copies the stream in readable form from in to out and returns the exit status; strict is CI's rule.
func report(in io.Reader, out io.Writer, strict bool) int {
	outputs := map[string]*strings.Builder{} // by package and test, until its fate is known
	var passed, failed, skipped int
	broken := false
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintf(out, "%s\n", lines.Bytes()) // go's own message, not a test's
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "build-output":
			fmt.Fprint(out, e.Output)
		case "build-fail":
			broken = true
		case "output":
			if outputs[key] == nil {
				outputs[key] = &strings.Builder{}
			}
			outputs[key].WriteString(e.Output)
		case "pass", "fail", "skip":
			text := ""
			if b := outputs[key]; b != nil {
				text = b.String()
				delete(outputs, key)
			}
			switch {
			case e.Test == "":
				broken = broken || e.Action == "fail"
				fmt.Fprint(out, packageLines(text, e.Action == "fail"))
			case e.Action == "pass":
				passed++
			case e.Action == "fail":
				failed++
				fmt.Fprint(out, text)
			case e.Action == "skip":
				skipped++
				fmt.Fprint(out, text)
			}
		}
	}
	for _, b := range outputs { // the stream ended in the middle of a test
		broken = true
		fmt.Fprint(out, b.String())
	}
	if err := lines.Err(); err != nil {
		broken = true
		fmt.Fprintf(out, "noskip: reading the test stream: %v\n", err)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	switch {
	case failed > 0 || broken:
		return 1
	case strict && skipped > 0:
		fmt.Fprintln(out, "noskip: CI leaves nothing out; install what the tests above ask for")
		return 1
	case strict && passed == 0:
		fmt.Fprintln(out, "noskip: no test ran")
		return 1
	}
	return 0
}

// packageLines keeps of a package's own output what sums it up, and all of it when the package failed (a panic
// or a failing TestMain belongs to no test). Packages without tests are not worth a line.
func packageLines(text string, failed bool) string {
	if failed {
		return text
	}
	kept := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "ok ") {
			kept += line
		}
	}
	return kept
}
