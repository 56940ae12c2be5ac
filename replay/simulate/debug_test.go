package simulate

import (
	"bufio"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"google.golang.org/protobuf/proto"
)

func TestDebug(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		t.Skip()
	}
	c, err := ParseFaults(os.Getenv("FAULTS"))
	if err != nil {
		t.Fatal(err)
	}
	w, wrong := Seed(seed, Options{Nodes: 2, For: 10 * time.Minute, Faults: c, Dir: t.TempDir()})
	for _, n := range w.Nodes {
		f, _ := os.Create(os.Getenv("DUMP") + n.Name + ".txt")
		out := bufio.NewWriter(f)
		for _, e := range n.keep {
			r := new(record.Record)
			if err := proto.Unmarshal(e.Data, r); err != nil {
				t.Fatal(err)
			}
			text.Step(out, r, nil, text.Options{})
		}
		out.Flush()
		f.Close()
	}
	t.Logf("%+v", w.faults)
	t.Logf("%v", wrong)
}
