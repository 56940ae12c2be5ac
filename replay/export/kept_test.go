package export_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/export"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// The journals in replay/testdata are kept: a reducer that decides otherwise than the one that wrote them must say so in
// CHANGELOG.md ("old journals replay differently"). UPDATE=1 writes them anew, from the samples.
func TestKeptJournals(t *testing.T) {
	kept := filepath.Join("..", "testdata")
	if os.Getenv("UPDATE") != "" {
		for _, name := range []string{"cutoff", "ends", "alive"} {
			s := replaytest.New(t)
			replaytest.Samples[name](s)
			src := s.Source()
			var b bytes.Buffer
			if err := export.Case(t.Context(), &b, src, list(t, src), export.Range{First: 1, Last: s.Step()}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(kept, name+".ikej"), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(kept, "*.ikej"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d journals are kept (%v)", len(files), err)
	}
	for _, file := range files {
		src, err := replay.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := replay.Verify(t.Context(), src, replay.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Divergences {
			t.Errorf("%s diverges at step %d, %v; try: ikejd replay %s", filepath.Base(file), d.Step, d.Kind, strings.TrimPrefix(file, "../"))
		}
		src.Close()
	}
}
