package reducer

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// The scripts in testdata: commands that speak IKE, and below each what changed and what was ordered, by the printer of
// `ikejd journal cat`. A command is a line of the table below; its example stands above the function. A script holds any
// number of scenes, each a subtest named after the rows of PROTOCOL.md it is about, so that a row is found by
//
//	go test ./reducer -run TestScripts//N-60
//
// -rewrite renews what is expected; a difference nobody can explain is a bug found.

// script is one node, the peer's side of its story, and the scene it is in.
type script struct {
	t     tester
	n     *node
	peers uint64            // SPIs the peer has given out
	spis  map[uint64]uint32 // the peer's ESP SPI of each IKE SA
	out   strings.Builder
}

// command is the function of that name; nil when there is none.
func command(name string) func(*script, []string, string) error {
	return map[string]func(*script, []string, string) error{
		"config": (*script).config, "given": (*script).given,
		"initiate": (*script).initiate, "close": (*script).close, "rekey": (*script).rekey, "shutdown": (*script).shutdown,
		"share-made": (*script).shareMade, "agreed": (*script).agreed, "auth-made": (*script).authMade,
		"authenticated": (*script).authenticated, "spi-allocated": (*script).spiAllocated,
		"child-installed": (*script).childInstalled, "child-removed": (*script).childRemoved,
		"peer-asks": (*script).peerAsks, "answer": (*script).answer, "repeat": (*script).repeat,
		"hint": (*script).hint, "fire": (*script).fire, "advance": (*script).advance, "restart": (*script).restart,
		"left": (*script).left, "ids": (*script).ids, "timers": (*script).timers, "sa": (*script).show,
	}[name]
}

func TestScripts(t *testing.T) {
	for _, file := range scripts(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if flag.Lookup("rewrite").Value.String() == "true" {
				datadriven.RunTest(t, file, newScene())
				return
			}
			for name, scene := range scenes(t, file) {
				t.Run(name, func(t *testing.T) { datadriven.RunTestFromString(t, scene, newScene()) })
			}
		})
	}
	if all := flag.Lookup("test.run"); !t.Failed() && !strings.Contains(all.Value.String(), "/") {
		t.Run("transitions", testTransitions)
	}
}

// scenes are the subtests of a script by their names, each behind as many empty lines as make the numbers of its own right.
func scenes(t *testing.T, file string) iter.Seq2[string, string] {
	b, err := os.ReadFile(file)
	must(t, err)
	return func(yield func(string, string) bool) {
		before := 0
		for i, part := range strings.Split(string(b), "\nsubtest ") {
			name, rest, _ := strings.Cut(part, "\n")
			if i > 0 && name != "end" && !yield(name, strings.Repeat("\n", before+1)+rest) {
				return
			}
			before += strings.Count(part, "\n") + 1
		}
	}
}

// newScene runs the commands of a scene; another subtest is another scene.
func newScene() func(*testing.T, *datadriven.TestData) string {
	var s *script
	var scene *testing.T
	return func(t *testing.T, td *datadriven.TestData) string {
		if t != scene {
			scene, s = t, newScript(t)
		}
		run := command(td.Cmd)
		if run == nil {
			td.Fatalf(t, "no command %q", td.Cmd)
		}
		s.out.Reset()
		if err := run(s, splitWords(td.FullCmd())[1:], td.Input); err != nil {
			td.Fatalf(t, "%v", err)
		}
		return s.out.String()
	}
}

func newScript(t tester) *script {
	s := &script{t: t, n: newNode(t, 0xaa), spis: map[uint64]uint32{}}
	must(t, s.config(nil, defaultConfig))
	s.out.Reset()
	return s
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// take gives the event to the node and prints what came of it.
func (s *script) take(ev *record.Event) {
	s.t.Helper()
	effects, changes := s.n.take(ev)
	s.print(effects, changes)
}

func (s *script) print(effects []Effect, changes []record.Change) {
	for _, l := range text.Changes(changes, s.n.ordered) {
		fmt.Fprintln(&s.out, l)
	}
	if len(effects) != len(s.n.ordered) {
		s.t.Fatal("effects and their record differ")
	}
	for _, e := range s.n.ordered {
		fmt.Fprintln(&s.out, text.Effect(e, s.n.now))
	}
}

// args are the words of a command: names of SAs, and options.
type args struct {
	words   []string
	options map[string]string
}

// argsOf splits words into those that are options (key=value) and those that are not.
func argsOf(words []string) args {
	a := args{options: map[string]string{}}
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok && !strings.ContainsAny(key, "({") {
			a.options[key] = value
		} else {
			a.words = append(a.words, w)
		}
	}
	return a
}

func (a args) has(word string) bool {
	for _, w := range a.words {
		if w == word {
			return true
		}
	}
	return false
}

// sa is the IKE SA named first among the words; 0 where none is.
func (a args) sa() uint64 { return a.named("ike") }

func (a args) named(prefix string) uint64 {
	for _, w := range a.words {
		if rest, ok := strings.CutPrefix(w, prefix); ok {
			if n, err := strconv.ParseUint(rest, 10, 64); err == nil {
				return n
			}
		}
	}
	return 0
}

func (a args) number(key string) uint64 {
	n, _ := strconv.ParseUint(a.options[key], 10, 64)
	return n
}

func (a args) numbers(key, prefix string) []uint64 {
	var list []uint64
	for _, name := range strings.Split(a.options[key], ",") {
		if n, err := strconv.ParseUint(strings.TrimPrefix(name, prefix), 10, 64); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// duration of an option; none is otherwise.
func (a args) duration(key string, otherwise int64) int64 {
	d, err := time.ParseDuration(a.options[key])
	if err != nil {
		return otherwise
	}
	return int64(d)
}

// spaced is an option's value with underscores as spaces: words end at those.
func (a args) spaced(key string) string { return strings.ReplaceAll(a.options[key], "_", " ") }
