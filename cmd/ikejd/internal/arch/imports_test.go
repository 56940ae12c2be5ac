package arch

import (
	"slices"
	"strings"
	"testing"
)

// mayImport is DESIGN's "imports go one way": for each folder at the top, the folders it may use beside its own.
var mayImport = map[string][]string{
	"proto":   {},
	"reducer": {"proto"},
	"journal": {"proto"},
	"effects": {"proto", "journal", "reducer"},
	"replay":  {"proto", "journal", "reducer", "effects/engine"},
	"cmd":     {"proto", "journal", "reducer", "effects", "replay"},
}

// allowed says whether the package at from may import the one at to; both are paths below the module.
func allowed(from, to string) bool {
	top, _, _ := strings.Cut(from, "/")
	return slices.ContainsFunc(append(slices.Clone(mayImport[top]), top), func(folder string) bool {
		return to == folder || strings.HasPrefix(to, folder+"/")
	})
}

func TestImportsGoOneWay(t *testing.T) {
	all := allPackages(t)
	for _, must := range []string{"cmd/ikejd", "proto/ike", "proto/record", "reducer", "journal", "effects/engine", "replay"} {
		if p := all[module+"/"+must]; p == nil || len(p.GoFiles) == 0 {
			t.Errorf("there is no package %s", must)
		}
	}
	for _, p := range all {
		from := inTree(p.ImportPath)
		if from == "" {
			continue
		}
		for _, imported := range p.Imports {
			if to := inTree(imported); to != "" && !allowed(from, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"proto/record", "proto/ike", true}, {"proto/ike", "reducer", false}, {"reducer", "proto/record", true},
		{"reducer", "journal", false}, {"journal", "reducer", false}, {"journal/bolt", "journal", true},
		{"effects/udp", "reducer", true}, {"effects/udp", "replay", false}, {"replay/simulate", "effects/engine", true},
		{"replay", "effects/udp", false}, {"replay", "effects/engineroom", false}, {"cmd/ikejd", "replay/audit", true},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("allowed(%s, %s) = %v", c.from, c.to, got)
		}
	}
}

// Each package of ours says in doc.go what it is for.
func TestEveryPackageHasADoc(t *testing.T) {
	there := files(t)
	for _, p := range allPackages(t) {
		if path := inTree(p.ImportPath); path != "" && len(p.GoFiles) > 0 && !slices.Contains(there, path+"/doc.go") {
			t.Errorf("%s has no doc.go", path)
		}
	}
}
