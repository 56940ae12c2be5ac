package audit

import (
	"net/netip"
	"runtime"
	"testing"
	"unsafe"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/audit/mini"
)

// An entry with all it may keep is at most 4 KiB.
func TestAnEntryIsBounded(t *testing.T) {
	var s ikeSA
	most := unsafe.Sizeof(s) + mostOpen*unsafe.Sizeof(request{}) + mostAnswered*unsafe.Sizeof(response{}) + mostChildren*unsafe.Sizeof(child{}) +
		mostWishes*unsafe.Sizeof(wish{}) + mostAsks*unsafe.Sizeof(ask{}) + mostChildren*unsafe.Sizeof(uint32(0)) + 4*unsafe.Sizeof(uint64(0))
	if most > 4096 {
		t.Errorf("an entry may grow to %d octets: %d, %d a request, %d a response, %d a child, %d a wish, %d an ask", most, unsafe.Sizeof(s),
			unsafe.Sizeof(request{}), unsafe.Sizeof(response{}), unsafe.Sizeof(child{}), unsafe.Sizeof(wish{}), unsafe.Sizeof(ask{}))
	}
}

// lives is n lives of an IKE SA, each set up by the peer, asked for liveness, and not ended, one after the other.
func lives(t testing.TB, n int, record func(*record.Record)) {
	t.Helper()
	s, err := mini.Records(mini.Nothing, "sa1: <q0 INIT !Half >r0 INIT A(half 30)\n<q1 AUTH ask(check)\ndone(check) child(c1) ask(install c1)\n"+
		"done(install c1) >r1 AUTH disarm(half) !Est\n>q0 INF")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Records[:2] {
		record(r)
	}
	life := s.Records[2:]
	first, step, time := life[0].GetStep(), s.Records[1].GetStep(), life[0].GetTime()
	for i := range uint64(n) {
		for _, r := range life {
			step++
			time += 1000
			record(moved(r, i, step-r.GetStep(), step, time, first))
		}
	}
}

// moved is a record of another SA's life, some steps later.
func moved(r *record.Record, i, by, step, time, first uint64) *record.Record {
	c := &record.Record{Step: step, Time: time, Event: shifted(r.GetEvent(), i, by, first), Datagrams: r.GetDatagrams()}
	for _, e := range r.GetEffects() {
		c.Effects = append(c.Effects, &record.Effect{IkeSa: e.GetIkeSa() + i, ChildSa: add(e.GetChildSa(), i), Because: later(e.GetBecause(), by, first), Kind: e.GetKind()})
	}
	return c
}

func shifted(e *record.Event, i, by, first uint64) *record.Event {
	return &record.Event{IkeSa: add(e.GetIkeSa(), i), Because: later(e.GetBecause(), by, first), Kind: e.GetKind()}
}

func add(number, i uint64) uint64 {
	if number == 0 {
		return 0
	}
	return number + i
}

func later(b *record.Because, by, first uint64) *record.Because {
	if b.GetStep() < first {
		return b
	}
	return &record.Because{Edge: b.GetEdge(), Step: b.GetStep() + by, Index: b.GetIndex(), Root: b.GetRoot()}
}

// 250,000 SAs: the table holds 200,000 of them, the memory stays under what that allows, and AUD-01 says what happened.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("250,000 SAs take seconds; left out by -short")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := New()
	told := 0
	lives(t, 250_000, func(r *record.Record) {
		for _, f := range a.Record(r) {
			if f.Rule == "AUD-01" {
				told++
			}
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(a.table.entries) != MaxSAs {
		t.Errorf("%d entries", len(a.table.entries))
	}
	sum := a.End()
	if sum.Evicted != 50_000 || told == 0 || told > 10 {
		t.Errorf("%d evicted, AUD-01 said so %d times", sum.Evicted, told)
	}
	per := (after.HeapAlloc - before.HeapAlloc) / MaxSAs
	t.Logf("%d octets an entry, everything counted", per)
	if per > 4096 {
		t.Errorf("%d octets an entry", per)
	}
}

// The sweep forgets what ended long ago.
func TestEndedSAsAreForgotten(t *testing.T) {
	s, err := mini.Records(mini.Established, ">q5 INF D(ike)\n<r5 INF !Gone(acked)\n@900 door\n@901 door\n@902 door")
	if err != nil {
		t.Fatal(err)
	}
	a := New()
	for _, r := range s.Records {
		a.Record(r)
	}
	if len(a.table.entries) != 0 {
		t.Errorf("%d entries after 15 minutes", len(a.table.entries))
	}
}

// What a capture adds is as bounded: 3,000 messages that it lacks, and 3,000 peers.
func TestTheCaptureIsBounded(t *testing.T) {
	a := New(With(Wire)...)
	a.Capture()
	local := netip.MustParseAddrPort("192.0.2.1:4500")
	for i := range uint16(3000) {
		remote := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), i+1)
		a.Captured(Frame{Time: int64(i), Local: local, Remote: remote, Datagram: []byte{0xff}})
	}
	lives(t, 3000, func(r *record.Record) { a.Record(r) })
	c := &a.capture
	if len(c.expected) != mostExpected || len(c.byPeer) != mostSeen || len(c.peers) != mostSeen || len(c.sas) > len(a.table.entries) {
		t.Errorf("%d messages, %d and %d peers, %d SAs", len(c.expected), len(c.byPeer), len(c.peers), len(c.sas))
	}
	last := a.End().Last
	if f := last[len(last)-1]; f.Rule != "AUD-02" || f.Verdict != Inconclusive {
		t.Errorf("%v", last)
	}
}

func BenchmarkRecord(b *testing.B) {
	var all []*record.Record
	lives(b, 2000, func(r *record.Record) { all = append(all, r) })
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if i%len(all) == 0 {
			b.StopTimer()
			a = New()
			b.StartTimer()
		}
		a.Record(all[i%len(all)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

var a *Auditor
