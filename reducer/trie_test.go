package reducer

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTrie holds the trie to a Go map: batches of puts and removals, on any version there ever was, after which every
// older version is as it was. A stamp is larger than those before, as the number of a batch's first step is.
func TestTrie(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			trie  trie[uint64]
			model map[uint64]*uint64
		}
		versions := []version{{model: map[uint64]*uint64{}}}
		top := uint64(1)
		batches := rapid.Uint64Range(1, 20).Draw(t, "batches")
		for stamp := uint64(1); stamp <= batches; stamp++ {
			v := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			model := maps.Clone(v.model)
			for range rapid.IntRange(1, 40).Draw(t, "edits") {
				top += uint64(rapid.SampledFrom([]int{0, 1, 1, 31, 900, 40_000, 3_000_000}).Draw(t, "grow"))
				number := rapid.Uint64Range(1, top).Draw(t, "number")
				if rapid.Bool().Draw(t, "near the top") {
					number = max(top-rapid.Uint64Range(0, 40).Draw(t, "below"), 1)
					number = min(number, top)
				}
				if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
					delete(model, number)
					v.trie = v.trie.put(number, nil, stamp)
				} else {
					value := new(uint64)
					*value = number
					model[number] = value
					v.trie = v.trie.put(number, value, stamp)
				}
			}
			v.model = model
			versions = append(versions, v)
			for _, old := range versions {
				same(t, old.trie, old.model)
			}
			least := rapid.Uint64Range(0, top+1).Draw(t, "least")
			sameFrom(t, v.trie, v.model, least)
		}
	})
}

func same(t *rapid.T, tr trie[uint64], model map[uint64]*uint64) {
	if tr.count != len(model) {
		t.Fatalf("%d values, %d are there", tr.count, len(model))
	}
	for number, value := range model {
		if tr.get(number) != value {
			t.Fatalf("%d is not what was put", number)
		}
		if model[number+1] == nil && tr.get(number+1) != nil {
			t.Fatalf("%d was never put, or was removed", number+1)
		}
	}
	sameFrom(t, tr, model, 0)
}

// sameFrom: the walk from least on, in order, and one that stops half way.
func sameFrom(t *rapid.T, tr trie[uint64], model map[uint64]*uint64, least uint64) {
	want := slices.Sorted(maps.Keys(model))
	want = slices.DeleteFunc(want, func(n uint64) bool { return n < least })
	var got []uint64
	tr.from(least, func(number uint64, value *uint64) bool {
		if *value != number {
			t.Fatalf("under %d stands %d", number, *value)
		}
		got = append(got, number)
		return true
	})
	if !slices.Equal(got, want) {
		t.Fatalf("from %d: %v, want %v", least, got, want)
	}
	visited := 0
	tr.from(least, func(uint64, *uint64) bool {
		visited++
		return visited < len(want)/2
	})
	if len(want) > 1 && visited != max(len(want)/2, 1) {
		t.Fatalf("a walk that was to stop after %d visited %d", len(want)/2, visited)
	}
}

// TestTrieEmpties: SAs come and go for ever, so leaves that are empty must not stay.
func TestTrieEmpties(t *testing.T) {
	var tr trie[uint64]
	for n := uint64(1); n <= 100_000; n++ {
		tr = tr.put(n, &n, 1)
		if n > 10 {
			tr = tr.put(n-10, nil, 1)
		}
	}
	leaves := 0
	var count func(b *branch[uint64], height int)
	count = func(b *branch[uint64], height int) {
		for i := range fan {
			if height == 1 && b.leaves[i] != nil {
				leaves++
			} else if height > 1 && b.kids[i] != nil {
				count(b.kids[i], height-1)
			}
		}
	}
	count(tr.root, tr.height)
	if tr.count != 10 || leaves > 2 {
		t.Fatalf("%d values stand in %d leaves", tr.count, leaves)
	}
}
