package arch

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	requireLine    = regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+) v\S+`)
	toolLine       = regexp.MustCompile(`(?m)^\s*(?:tool )?([a-z0-9.-]+\.[a-z]+/\S+)$`)
	dependencyLine = regexp.MustCompile("(?m)^\\| `(\\S+)` \\| \\S.* \\| \\S.* \\|$")
)

// firsts are the first groups of all that re finds.
func firsts(re *regexp.Regexp, text string) (all []string) {
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// moduleOf is the longest of the modules that the package is in, "" when it is in none.
func moduleOf(pkg string, modules []string) (best string) {
	for _, m := range modules {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// Each module that we import, or run as a tool, has a line in docs/dependencies.md: what for, and what would replace it.
// What has a line and is not used any more is to be removed.
func TestDependenciesAreExplained(t *testing.T) {
	gomod := read(t, "go.mod")
	modules := firsts(requireLine, gomod)
	direct := map[string]bool{}
	for _, p := range allPackages(t) {
		if inTree(p.ImportPath) == "" {
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if m := moduleOf(imported, modules); m != "" {
				direct[m] = true
			}
		}
	}
	for _, tool := range firsts(toolLine, gomod) {
		direct[moduleOf(tool, modules)] = true
	}
	used := slices.Sorted(maps.Keys(direct))
	explained := firsts(dependencyLine, read(t, "docs/dependencies.md"))
	slices.Sort(explained)
	for _, m := range used {
		if !slices.Contains(explained, m) {
			t.Errorf("%s has no line in docs/dependencies.md", m)
		}
	}
	for _, m := range explained {
		if !slices.Contains(used, m) {
			t.Errorf("docs/dependencies.md explains %s, which nothing imports", m)
		}
	}
}
