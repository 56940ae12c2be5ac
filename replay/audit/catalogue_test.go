package audit_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/proto/testshared"
	"github.com/ikejd/ikejd/replay/audit"
)

// Every id of the catalogue is a rule or waits with a reason, and never both.
func TestEveryIDIsBuiltOrWaits(t *testing.T) {
	built := map[string]bool{}
	at := 0
	for _, r := range audit.Rules {
		if built[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		built[r.ID] = true
		for at < len(audit.Catalogue) && audit.Catalogue[at].ID != r.ID {
			at++
		}
		if at == len(audit.Catalogue) {
			t.Fatalf("%s is not in the catalogue, or out of its order", r.ID)
		}
	}
	for _, e := range audit.Catalogue {
		why, waits := audit.Absent[e.ID]
		if built[e.ID] == waits {
			t.Errorf("%s: built %v, waits %v", e.ID, built[e.ID], waits)
		}
		if waits && why == "" {
			t.Errorf("%s waits without a reason", e.ID)
		}
		if e.Title == "" || e.Severity == "" || e.Section == "" || e.Mark == "" || e.Proves == "" || e.Reads == "" || e.State == "" {
			t.Errorf("%s: an entry with gaps: %+v", e.ID, e)
		}
	}
	for id := range audit.Absent {
		if _, ok := audit.Find(id); !ok {
			t.Errorf("%s waits, and is not in the catalogue", id)
		}
	}
}

// The catalogue is AUDIT.md's.
func TestCatalogueIsAUDIT(t *testing.T) {
	text, err := os.ReadFile(testshared.Path(t, "AUDIT.md"))
	if err != nil {
		t.Fatal(err)
	}
	heads := regexp.MustCompile(`(?m)^\*\*([A-Z]{3,4}-\d\d) (.+?)\*\* · (.+?) · (.+) · (.+)$`).FindAllStringSubmatch(string(text), -1)
	if len(heads) != len(audit.Catalogue) {
		t.Fatalf("AUDIT.md has %d rules, the catalogue %d", len(heads), len(audit.Catalogue))
	}
	for i, h := range heads {
		e := audit.Catalogue[i]
		if got := [5]string{e.ID, e.Title, e.Severity, e.Section, e.Mark}; got != [5]string(h[1:]) {
			t.Errorf("%q, in AUDIT.md %q", got, h[1:])
		}
	}
}

// The rules share no code with the reducer: of ours they import proto alone, and the mini journals too.
func TestImportsOnlyProto(t *testing.T) {
	for _, pkg := range []string{".", "./mini"} {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range strings.Fields(string(out)) {
			rest, ours := strings.CutPrefix(p, "github.com/ikejd/ikejd/")
			if ours && !strings.HasPrefix(rest, "proto/") && !strings.HasPrefix(rest, "replay/audit") {
				t.Errorf("%s needs %s", pkg, rest)
			}
		}
	}
}

func TestPick(t *testing.T) {
	if rules, err := audit.Pick("WIN-01", "DEL-05"); err != nil || len(rules) != 2 {
		t.Errorf("%v, %v", rules, err)
	}
	for id, want := range map[string]string{"REK-01": "not built yet", "NEW-01": "try: ikejd audit --list"} {
		if _, err := audit.Pick(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
