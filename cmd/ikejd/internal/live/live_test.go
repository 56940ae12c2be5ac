package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
)

// bed is a journal behind a control socket.
type bed struct {
	t      *testing.T
	j      *journal.Journal
	dir    string
	socket string
	stop   func()
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, dir: filepath.Join(t.TempDir(), "journal"), socket: filepath.Join(t.TempDir(), "vici")}
	var err error
	if b.j, err = journal.Open(b.dir, journal.Options{NoPrewrite: true}); err != nil {
		t.Fatal(err)
	}
	b.serve()
	t.Cleanup(func() {
		b.stop()
		if err := b.j.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// serve is a daemon's life; stop ends it.
func (b *bed) serve() {
	b.t.Helper()
	s, err := vici.Listen(b.socket, "")
	if err != nil {
		b.t.Fatal(err)
	}
	Handle(s, b.j, b.dir)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Serve(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = func() { cancel(); <-ended }
}

// append adds a batch of records of these sizes.
func (b *bed) append(sizes ...int) {
	b.t.Helper()
	first := b.j.Last().Step + 1
	batch := &journal.Batch{First: first, Time: int64(first) * int64(time.Second)}
	for i, size := range sizes {
		batch.Records = append(batch.Records, bytes.Repeat([]byte{byte(first) + byte(i)}, size))
	}
	if err := b.j.Append(batch); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) open(ctx context.Context) *Source {
	b.t.Helper()
	src, err := Open(ctx, b.socket)
	if err != nil {
		b.t.Fatal(err)
	}
	return src
}

// What comes over the socket is what the journal holds: records longer than an event, seals, and no more than Open saw.
func TestEntries(t *testing.T) {
	b := newBed(t)
	empty := b.open(t.Context())
	if empty.First() != 0 || empty.Last() != (journal.Position{}) {
		t.Errorf("empty: %d to %+v", empty.First(), empty.Last())
	}
	for range empty.Entries(0) {
		t.Error("an entry of an empty journal")
	}
	b.append(1, chunk-1, chunk)
	b.append(3 * 65536)
	b.append(0, 7)
	src := b.open(t.Context())
	if src.First() != 1 || src.Last() != b.j.Last() || !src.Live() || src.Versions() != nil {
		t.Errorf("%d to %+v, want 1 to %+v", src.First(), src.Last(), b.j.Last())
	}
	if !strings.Contains(src.Where(), b.dir) || !strings.Contains(src.Where(), b.socket) {
		t.Errorf("where: %s", src.Where())
	}
	for from := range uint64(8) {
		var got, want []journal.Entry
		for e, err := range src.Entries(from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		for e, err := range b.j.Read(from) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, e)
		}
		if diff := cmp.Diff(want, got, cmp.Transformer("bytes", func(b []byte) string { return string(b) })); diff != "" {
			t.Errorf("from %d: %s", from, diff)
		}
	}
	b.append(1)
	last := uint64(0)
	for e, err := range src.Entries(0) {
		if last = e.Step; err != nil {
			t.Fatal(err)
		}
	}
	if last != src.Last().Step {
		t.Errorf("read to step %d, and Open saw the end at %d", last, src.Last().Step)
	}
	for range src.Entries(2) { // whoever stops early leaves nothing behind: stop in Cleanup waits for all clients
		break
	}
}

func TestSnapshotBefore(t *testing.T) {
	b := newBed(t)
	b.append(1, 1)
	early := bytes.Repeat([]byte("early"), 40_000)
	if err := b.j.Roll(early, nil); err != nil {
		t.Fatal(err)
	}
	b.append(1, 1)
	if err := b.j.Roll([]byte("late"), nil); err != nil {
		t.Fatal(err)
	}
	b.append(1)
	src := b.open(t.Context())
	for _, c := range []struct {
		before, at uint64
		data       string
	}{{1, 0, ""}, {2, 0, ""}, {3, 2, string(early)}, {4, 2, string(early)}, {5, 4, "late"}, {99, 4, "late"}} {
		at, data, err := src.SnapshotBefore(c.before)
		if at != c.at || string(data) != c.data || err != nil {
			t.Errorf("before %d: after step %d, %d octets, %v; want step %d, %d octets", c.before, at, len(data), err, c.at, len(c.data))
		}
	}
}

// A follower gets what is there, each record as it comes, and what the next daemon adds.
func TestFollow(t *testing.T) {
	b := newBed(t)
	b.append(10, 20)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	src := b.open(ctx)
	got := make(chan journal.Entry)
	ended := make(chan error, 1)
	go func() {
		for e, err := range src.Follow(ctx, 2) {
			if err != nil {
				ended <- err
				return
			}
			got <- e
		}
	}()
	next := func(step uint64) {
		t.Helper()
		select {
		case e := <-got:
			if e.Step != step {
				t.Fatalf("step %d, want %d", e.Step, step)
			}
		case <-ctx.Done():
			t.Fatalf("step %d never came", step)
		}
	}
	next(2)
	b.append(5)
	next(3)
	b.append(100_000, 1)
	next(4)
	next(5)
	b.stop()
	b.append(1)
	b.serve()
	next(6)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "vici")); !errors.Is(err, vici.ErrNoDaemon) {
		t.Error(err)
	}
}

// A step that is pruned is an error of the daemon's journal, with what to do.
func TestPruned(t *testing.T) {
	b := newBed(t)
	b.append(1)
	if err := b.j.Roll([]byte("s"), nil); err != nil {
		t.Fatal(err)
	}
	b.append(1)
	if _, err := b.j.Prune(time.Unix(1000, 0), nil, false); err != nil {
		t.Fatal(err)
	}
	src := b.open(t.Context())
	if src.First() != 2 {
		t.Errorf("begins at step %d, want 2", src.First())
	}
	var refused *vici.Refused
	for _, err := range src.Entries(1) {
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "try: --since 2") {
			t.Errorf("step 1: %v", err)
		}
	}
	if refused == nil {
		t.Error("step 1 was not refused")
	}
}

func TestBadRequests(t *testing.T) {
	b := newBed(t)
	c, err := vici.Dial(b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for cmd, key := range map[string]string{cmdRead: keyFrom, cmdSnapshot: keyBefore} {
		var m vici.Message
		m.Set(key, "x")
		if _, err := c.Call(t.Context(), cmd, m); err == nil || !strings.Contains(err.Error(), key+` "x" is not a number`) {
			t.Errorf("%s: %v", cmd, err)
		}
	}
}

// Decoding what was encoded gives it back; no octets panic, and a stream cut anywhere is an error but between entries.
func FuzzEntry(f *testing.F) {
	f.Add(uint64(1), []byte("record"), true, []byte{})
	f.Add(uint64(1<<63), []byte{}, false, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(uint64(7), []byte{0}, false, []byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, step uint64, data []byte, sealed bool, garbage []byte) {
		want := journal.Entry{Step: step, Data: append([]byte{}, data...)}
		if sealed {
			want.Seal = &journal.Seal{First: step, Last: step + 1, Time: -int64(step), Prev: journal.Link{1}, Link: journal.Link{31: 2}}
		}
		whole := appendEntry(nil, want)
		got, err := readEntry(bufio.NewReader(bytes.NewReader(whole)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		for n := range min(len(whole), 200) {
			_, err := readEntry(bufio.NewReader(bytes.NewReader(whole[:n])))
			if wanted := map[bool]error{true: io.EOF, false: io.ErrUnexpectedEOF}[n == 0]; !errors.Is(err, wanted) {
				t.Errorf("cut after %d octets: %v, want %v", n, err, wanted)
			}
		}
		for r := bufio.NewReader(bytes.NewReader(garbage)); ; {
			if _, err := readEntry(r); err != nil {
				return
			}
		}
	})
}

func ExampleOpen() {
	_, err := Open(context.Background(), "nobody.vici")
	fmt.Println(err)
	// Output: no daemon answers on nobody.vici; try: systemctl start ikejd, or --socket PATH
}

// What the daemon removed, or would remove, comes back as it was told; so does why it did not.
func TestPrune(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "vici")
	s, err := vici.Listen(socket, "")
	if err != nil {
		t.Fatal(err)
	}
	gone := []journal.SegmentInfo{{Name: "one", First: 1, Last: 20, End: 30, Bytes: 40, Closed: true}, {Name: "two", First: 21, Last: 22, End: 31, Bytes: 41, Closed: true}}
	var kept atomic.Int64
	HandlePrune(s, func(keep time.Duration, dryRun bool) ([]journal.SegmentInfo, error) {
		kept.Store(int64(keep))
		if !dryRun {
			return nil, errors.New("the folder is gone")
		}
		return gone, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if got, err := Prune(ctx, socket, time.Hour, true); err != nil || !cmp.Equal(got, gone) || kept.Load() != int64(time.Hour) {
		t.Errorf("%v of %v, %v", got, time.Duration(kept.Load()), err)
	}
	if _, err := Prune(ctx, socket, time.Hour, false); err == nil || !strings.Contains(err.Error(), "the folder is gone") {
		t.Errorf("refused: %v", err)
	}
	if _, err := Prune(ctx, socket, 0, true); err == nil || !strings.Contains(err.Error(), "keep is missing") {
		t.Errorf("no time: %v", err)
	}
	if _, err := Prune(ctx, filepath.Join(t.TempDir(), "none"), time.Hour, true); !errors.Is(err, vici.ErrNoDaemon) {
		t.Errorf("nobody there: %v", err)
	}
}
