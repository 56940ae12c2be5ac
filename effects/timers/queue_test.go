package timers

import (
	"cmp"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fixed is a clock that stands still.
type fixed int64

func (f fixed) Now() int64 { return int64(f) }

// naive is the queue as one would write it first: a map, and a sort when asked.
type naive map[Key]Fired

func (m naive) sorted() []Fired {
	all := make([]Fired, 0, len(m))
	for _, f := range m {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Fired) int {
		return cmp.Or(cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.SA, b.SA),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Arg, b.Arg))
	})
	return all
}

func TestQueueAgainstNaive(t *testing.T) {
	keys := rapid.Custom(func(t *rapid.T) Key {
		return Key{
			SA:   rapid.Uint64Range(1, 12).Draw(t, "sa"),
			Kind: rapid.SampledFrom([]uint8{0, 1, 2, 255}).Draw(t, "kind"),
			Arg:  rapid.SampledFrom([]uint32{0, 1, math.MaxUint32}).Draw(t, "arg"),
		}
	})
	deadlines := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 20), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64}))
	rapid.Check(t, func(t *rapid.T) {
		q, m := New(fixed(0)), naive{}
		for i := range rapid.IntRange(0, 300).Draw(t, "timers at first") { // so that the heap has levels
			f := Fired{Key: Key{SA: uint64(i%12 + 1), Kind: 2, Arg: uint32(i)}, Deadline: spread(i) % 1000}
			q.Set(f.Key, f.Deadline, 0, 0)
			m[f.Key] = f
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				f := Fired{
					Key:      keys.Draw(t, "key"),
					Step:     rapid.Uint64Range(0, 1<<stepBits-1).Draw(t, "step"),
					Index:    rapid.Uint32().Draw(t, "index"),
					Deadline: deadlines.Draw(t, "deadline"),
				}
				q.Set(f.Key, f.Deadline, f.Step, f.Index)
				m[f.Key] = f
			},
			"cancel": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				if all := m.sorted(); len(all) > 0 && rapid.Bool().Draw(t, "one that runs") {
					key = rapid.SampledFrom(all).Draw(t, "which").Key
				}
				_, want := m[key]
				if got := q.Cancel(key); got != want {
					t.Fatalf("Cancel(%v) = %v, want %v", key, got, want)
				}
				delete(m, key)
			},
			"cancel SA": func(t *rapid.T) {
				sa, want := rapid.Uint64Range(1, 12).Draw(t, "sa"), 0
				for key := range m {
					if key.SA == sa {
						delete(m, key)
						want++
					}
				}
				if got := q.CancelSA(sa); got != want {
					t.Fatalf("CancelSA(%d) = %d, want %d", sa, got, want)
				}
			},
			"expire": func(t *rapid.T) {
				now := deadlines.Draw(t, "now")
				var want []Fired
				for _, f := range m.sorted() {
					if f.Deadline <= now {
						want = append(want, f)
						delete(m, f.Key)
					}
				}
				if got := q.Expired(now, nil); !slices.Equal(got, want) {
					t.Fatalf("Expired(%d) = %v, want %v", now, got, want)
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != len(m) {
					t.Fatalf("Len = %d, want %d", q.Len(), len(m))
				}
				deadline, ok := q.Next()
				if all := m.sorted(); ok != (len(all) > 0) || ok && deadline != all[0].Deadline {
					t.Fatalf("Next = %d, %v; want the first of %v", deadline, ok, all)
				}
				checkInvariants(t, q)
			},
		})
	})
}

// checkInvariants looks at what stands on the fields, and that the two ways to a timer agree.
func checkInvariants(t *rapid.T, q *Queue) {
	if len(q.heap.deadlines) != len(q.heap.refs) || q.store.live != len(q.heap.refs) {
		t.Fatalf("%d deadlines, %d refs, %d live nodes", len(q.heap.deadlines), len(q.heap.refs), q.store.live)
	}
	for slot, r := range q.heap.refs {
		if n := q.store.at(r); n.slot != uint32(slot) {
			t.Fatalf("node %d is in slot %d and says %d", r, slot, n.slot)
		}
		if parent := uint32(slot-1) / arity; slot > 0 && q.less(q.heap.deadlines[slot], r, parent) {
			t.Fatalf("slot %d comes before its parent %d", slot, parent)
		}
	}
	listed := 0
	for sa, r := range q.first {
		if r == none {
			t.Fatalf("SA %d has an entry and no timer", sa)
		}
		for ; r != none; r = q.store.at(r).next {
			if q.store.at(r).sa != sa {
				t.Fatalf("SA %d lists a timer of SA %d", sa, q.store.at(r).sa)
			}
			listed++
		}
	}
	if listed != len(q.heap.refs) {
		t.Fatalf("%d timers in lists, %d in the heap", listed, len(q.heap.refs))
	}
}

func TestOrderDependsOnNothingElse(t *testing.T) {
	var keys []Key
	for sa := uint64(1); sa < 40; sa++ {
		for kind := range uint8(3) {
			keys = append(keys, Key{SA: sa, Kind: kind, Arg: uint32(sa % 3)})
		}
	}
	var want []Fired
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		q := New(fixed(0))
		for _, k := range keys {
			q.Set(k, 99, 0, 0)           // where it was before
			q.Set(k, int64(k.Arg), 7, 1) // must not matter
		}
		got := q.Expired(5, nil)
		if want == nil {
			want = got
		}
		if len(got) != len(keys) || !slices.Equal(got, want) {
			t.Fatalf("seed %d: another order", seed)
		}
	}
}

func TestExpiredAppends(t *testing.T) {
	q := New(fixed(0))
	q.Set(Key{SA: 1}, 5, 3, 2)
	before := Fired{Key: Key{SA: 9}}
	got := q.Expired(5, []Fired{before})
	if want := []Fired{before, {Key: Key{SA: 1}, Step: 3, Index: 2, Deadline: 5}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDelay(t *testing.T) {
	q := New(fixed(100))
	if _, ok := q.Delay(); ok {
		t.Error("an empty queue has a delay")
	}
	for _, c := range []struct {
		deadline int64
		want     time.Duration
	}{{250, 150}, {100, 0}, {-5, 0}, {math.MinInt64, 0}, {math.MaxInt64, math.MaxInt64 - 100}} {
		q.Set(Key{SA: 1}, c.deadline, 0, 0)
		if d, ok := q.Delay(); d != c.want || !ok {
			t.Errorf("deadline %d: Delay = %v, %v; want %v", c.deadline, d, ok, c.want)
		}
	}
	if d := remaining(math.MaxInt64, math.MinInt64); d != math.MaxInt64 {
		t.Errorf("the longest wait overflowed to %d", d)
	}
}

func TestStepTooGreat(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a step of 2^56 was taken and would have changed the kind")
		}
	}()
	New(fixed(0)).Set(Key{SA: 1}, 1, 1<<stepBits, 0)
}

// An empty queue holds no more than one page, whatever was in it.
func TestEmptyQueueLetsGo(t *testing.T) {
	q := fill(5000)
	for sa := range uint64(5000 / perSA) {
		q.CancelSA(sa)
	}
	if len(q.store.pages) != 1 || cap(q.heap.refs) != 0 {
		t.Errorf("%d pages and room for %d refs in an empty queue", len(q.store.pages), cap(q.heap.refs))
	}
}

// perSA is what PERFORMANCE-NOTES.md counts: retransmit, liveness, rekey, lifetime.
const perSA = 4

func spread(i int) int64 { return int64(uint64(i) * 0x9e3779b97f4a7c15 >> 20) }

func fill(n int) *Queue {
	q := New(fixed(0))
	for i := range n {
		q.Set(Key{SA: uint64(i / perSA), Kind: uint8(i % perSA)}, spread(i), uint64(i), 0)
	}
	return q
}

// Live octets a timer, everything included, 400,000 of them (100,000 SAs).
func TestMemory(t *testing.T) {
	const n = 400_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	q := fill(n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.1f octets a timer", each)
	if each > 56 {
		t.Errorf("%.1f octets a timer, want at most 56", each)
	}
	runtime.KeepAlive(q)
}

const benchTimers = 400_000

// The steady state: a liveness timer is put off each time the peer is heard.
func BenchmarkPutOff(b *testing.B) {
	q := fill(benchTimers)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		j := int(uint64(i)*0x9e3779b97f4a7c15>>33) % benchTimers
		q.Set(Key{SA: uint64(j / perSA), Kind: uint8(j % perSA)}, spread(i+j), uint64(i), 0)
	}
}

// A request: its retransmission timer is set and, when the answer comes, cancelled.
func BenchmarkSetCancel(b *testing.B) {
	q := fill(benchTimers)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		key := Key{SA: uint64(i) * 0x9e3779b97f4a7c15 >> 33 % (benchTimers / perSA), Kind: perSA}
		q.Set(key, spread(i)>>12, uint64(i), 0)
		q.Cancel(key)
	}
}

// A timer fires and is set again, one at a time.
func BenchmarkExpireSet(b *testing.B) {
	q := fill(benchTimers)
	var fired []Fired
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		deadline, _ := q.Next()
		fired = q.Expired(deadline, fired[:0])
		for _, f := range fired {
			q.Set(f.Key, deadline+spread(i), uint64(i), 0)
		}
	}
}

// Recovery: all deadlines of the State are put in.
func BenchmarkFill(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fill(benchTimers)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchTimers, "ns/timer")
}

// The most crowded SA there may be: 1,024 children (K-18), two timers each, one list.
func BenchmarkCrowdedSA(b *testing.B) {
	const children = 1024
	q := fill(benchTimers)
	for i := range 2 * children {
		q.Set(Key{SA: 1, Kind: 8 + uint8(i%2), Arg: uint32(i / 2)}, spread(i), 0, 0)
	}
	i := 0
	for b.Loop() {
		i++
		q.Set(Key{SA: 1, Kind: 8, Arg: uint32(i % children)}, spread(i), uint64(i), 0)
	}
}
