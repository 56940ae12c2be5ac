package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	pass := `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	skip := `{"Action":"output","Package":"p","Test":"B","Output":"no root here\n"}
{"Action":"skip","Package":"p","Test":"B"}
`
	for name, c := range map[string]struct {
		in         string
		free, ci   int // exit status without and with CI
		says, hush string
	}{
		"all passed":         {in: pass, says: "ok  \tp\t0.1s\n1 passed, 0 failed, 0 skipped"},
		"one left out":       {in: skip + pass, ci: 1, says: "no root here"},
		"one failed":         {in: `{"Action":"output","Package":"p","Test":"C","Output":"got 3\n"}` + "\n" + `{"Action":"fail","Package":"p","Test":"C"}`, free: 1, ci: 1, says: "got 3"},
		"does not compile":   {in: `{"Action":"build-output","ImportPath":"p","Output":"x.go:1: syntax\n"}` + "\n" + `{"Action":"build-fail","ImportPath":"p"}`, free: 1, ci: 1, says: "x.go:1: syntax"},
		"package failed":     {in: `{"Action":"output","Package":"p","Output":"panic: x\n"}` + "\n" + `{"Action":"fail","Package":"p"}`, free: 1, ci: 1, says: "panic: x"},
		"cut in the middle":  {in: `{"Action":"output","Package":"p","Test":"D","Output":"began\n"}`, free: 1, ci: 1, says: "began"},
		"nothing ran":        {in: ``, ci: 1, says: "0 passed"},
		"no tests there":     {in: pass + `{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}` + "\n" + `{"Action":"skip","Package":"q"}`, says: "1 passed", hush: "no test files"},
		"not of the stream":  {in: "go: downloading m\n" + pass, says: "go: downloading m\n"},
		"passed and chatted": {in: `{"Action":"output","Package":"p","Test":"A","Output":"chat\n"}` + "\n" + pass, says: "1 passed", hush: "chat"},
	} {
		for strict, want := range map[bool]int{false: c.free, true: c.ci} {
			var out strings.Builder
			if got := report(strings.NewReader(c.in), &out, strict); got != want {
				t.Errorf("%s, CI %v: exit status %d, want %d", name, strict, got, want)
			}
			if !strings.Contains(out.String(), c.says) || c.hush != "" && strings.Contains(out.String(), c.hush) {
				t.Errorf("%s, CI %v: printed %q, want %q in it and not %q", name, strict, out.String(), c.says, c.hush)
			}
		}
	}
}
