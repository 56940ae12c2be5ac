package conf

import (
	"slices"
	"strings"
)

// Use says what ikejd does with a key.
type Use int

// What may happen to a key.
const (
	Used    Use = iota
	Ignored     // strongSwan's, without effect here; leaving it out weakens nothing, so it is a warning
	Refused     // strongSwan's, not built; ignoring it would weaken or change what was asked for, so it is an error
)

// KeyDoc documents one key: the checks and the manual page are both made from it.
type KeyDoc struct {
	Name    string // "rekey_time"; "id*" stands for id and id with any suffix
	Default string // as it would be written; "" where there is none
	Use     Use
	Neutral []string // values of an Ignored or Refused key that ask for nothing
	Doc     string   // what it does, for the manual page; "" unless Used
	Why     string   // for Ignored and Refused: the reason, and what to do instead
}

// SectionDoc documents the keys of one kind of section.
type SectionDoc struct {
	Path string // "connections.<conn>.children.<child>"
	Keys []KeyDoc
}

// Document lists every section and key that a configuration may have, in the order of the manual page.
func Document() []SectionDoc {
	return []SectionDoc{
		{"connections.<conn>", connectionKeys},
		{"connections.<conn>.local", localKeys},
		{"connections.<conn>.remote", remoteKeys},
		{"connections.<conn>.children.<child>", childKeys},
		{"secrets.ike<suffix>", ikeSecretKeys},
		{"ikejd", settingDocs()},
	}
}

func findKey(keys []KeyDoc, name string) (KeyDoc, bool) {
	i := slices.IndexFunc(keys, func(k KeyDoc) bool { return matches(k.Name, name) })
	if i < 0 {
		return KeyDoc{}, false
	}
	return keys[i], true
}

// keyNames are all names, for suggestions.
func keyNames(keys []KeyDoc) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

// usedKeys ends an error about a key that is like none.
func usedKeys(keys []KeyDoc) string {
	var names []string
	for _, k := range keys {
		if k.Use == Used {
			names = append(names, k.Name)
		}
	}
	return "the keys are: " + strings.Join(names, ", ")
}
