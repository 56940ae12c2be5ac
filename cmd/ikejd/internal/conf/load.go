package conf

import (
	"cmp"
	"slices"
)

// topLevel are the sections that mean something at the top; others may be there for others to inherit from.
var topLevel = []string{connectionsName, "secrets", "ikejd", "pools", "authorities"}

// Load reads the file at path with all it includes, and gives it its meaning. All problems are reported, in the order
// of the files. Where one is an Error the Config holds what could be understood, for `check` to print; it must not be
// used.
func Load(path string) (*Config, []Problem) {
	return load(func(p *parser) { p.readFile(path, p.root, nil) })
}

// LoadText is Load for a text in memory; file is what its positions name.
func LoadText(file, text string) (*Config, []Problem) {
	return load(func(p *parser) { p.readText(file, text, p.root, []string{file}) })
}

func load(read func(*parser)) (*Config, []Problem) {
	root, referred, problems := parse(read)
	config := &Config{Settings: DefaultSettings()}
	var r report
	if root != nil {
		checkTop(&r, root, referred)
		config.Connections = readConnections(&r, root)
		config.Secrets = readSecrets(&r, root)
		config.Settings = readSettings(&r, root)
	}
	return config, sorted(append(problems, r.problems...))
}

// checkTop reports what stands at the top and does nothing there.
func checkTop(r *report, root *Section, referred map[string]bool) {
	for _, v := range root.Values {
		r.add(v.Pos, Error, "", "a value at the top level", "put it into ikejd { } or connections { }")
	}
	for _, s := range root.Sections {
		switch {
		case s.Name == "pools" && len(s.Sections) > 0:
			r.add(s.Pos, Warning, "", "section pools has no effect", "virtual addresses are not built; remove it")
		case s.Name == "authorities" && len(s.Sections) > 0:
			r.add(s.Pos, Warning, "", "section authorities has no effect", "certificates are not built; remove it")
		case slices.Contains(topLevel, s.Name), referred[s.Name]:
		case nearest(s.Name, topLevel) != "":
			r.add(s.Pos, Error, "", "unknown section "+shown(Value{Text: s.Name}), didYouMean(s.Name, topLevel, ""))
		default:
			r.add(s.Pos, Warning, "", "section "+shown(Value{Text: s.Name})+" has no effect", "no section inherits from it; remove it, or write it into connections { }")
		}
	}
}

// sorted puts problems in the order of lines, file by file as they first appear, and drops repetitions.
func sorted(problems []Problem) []Problem {
	order := map[string]int{}
	for _, p := range problems {
		if _, seen := order[p.Pos.File]; !seen {
			order[p.Pos.File] = len(order)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.Pos.File], order[b.Pos.File]), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return slices.Compact(problems)
}
