package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The pages in docs are those that the rules and their journals make.
func TestPagesAreFresh(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs", "audit")
	all, err := pages("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil || string(got) != want {
			t.Errorf("docs/audit/%s is stale; run: go generate ./replay/audit", name)
		}
	}
	there, err := os.ReadDir(docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if _, made := all[f.Name()]; !made {
			t.Errorf("docs/audit/%s is of no rule", f.Name())
		}
	}
}
