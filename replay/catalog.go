package replay

import (
	"context"
	"errors"
	"slices"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
)

// Catalog is what one pass over the records says of every IKE SA and every run. It is read from the notes that the
// reducer of the time left (Changed, Discarded, Report), not from what this binary would decide.
type Catalog struct {
	SAs   []*SA // in the order of their numbers
	Runs  []*Run
	First uint64
	Last  uint64
	End   int64 // time of the last step
	Live  bool  // the daemon that writes the journal is running
	Stop  error // damage, behind which nothing was read: Last is the step before it
}

// SA is one IKE SA's life as far as the journal has it.
type SA struct {
	Number     uint64
	Connection string
	Path       *record.Path // last known
	SPIi, SPIr uint64
	RemoteID   *record.Identity
	Children   []*Child

	First, Last uint64 // its first and last step here
	Steps       uint64
	Phase       record.Phase
	Entered     []Entered // phases, in order
	Established int64     // 0: never, or before this journal begins
	Cause       record.Cause
	Detail      string
	Ended       int64
	EndStep     uint64            // 0: it lives
	End         *record.Discarded // nil: it lives
}

// Child is one Child SA.
type Child struct {
	Number            uint64
	Name              string
	Inbound, Outbound uint32
	Phase             record.ChildPhase
	Installed         bool // it was, at some time
}

// Entered is when an SA came into a phase.
type Entered struct {
	Phase record.Phase
	Step  uint64
	Time  int64
}

// Run is one life of the daemon.
type Run struct {
	Number      uint64
	Version     string // "": it began before the journal
	First, Last uint64
	Began       int64
	Ended       int64                 // time of its last step
	Asked       *record.ShutdownAsked // nil: nobody asked it to end
	AskedStep   uint64
	AskedTime   int64
	Report      *record.Report
	ReportStep  uint64
	ReportTime  int64
	Reason      string // of its last event, if it says so itself
}

// List reads src once, up to its end or to where it is damaged.
func List(ctx context.Context, src Source) (*Catalog, error) {
	c := &Catalog{First: src.First(), Last: src.Last().Step, Live: src.Live()}
	b := lister{c: c, sas: map[uint64]*SA{}}
	snapshot, err := Snapshot(src, c.First)
	if err != nil {
		return nil, err
	}
	if snapshot != nil {
		b.begin(snapshot)
	}
	for r, err := range Records(src, 0) {
		if err == nil {
			err = ctx.Err()
		}
		var damage *journal.Damage
		if errors.As(err, &damage) {
			c.Stop = err
			break
		}
		if err != nil {
			return nil, err
		}
		b.record(r)
		c.Last = r.GetStep()
	}
	for _, sa := range b.sas {
		c.SAs = append(c.SAs, sa)
	}
	slices.SortFunc(c.SAs, func(a, b *SA) int { return int(a.Number) - int(b.Number) })
	return c, nil
}

type lister struct {
	c   *Catalog
	sas map[uint64]*SA
}

// begin takes over what lived when the journal begins.
func (b *lister) begin(s *record.Snapshot) {
	b.c.Runs = append(b.c.Runs, &Run{Number: s.GetRun(), First: s.GetStep() + 1, Last: s.GetStep(), Began: int64(s.GetTime()), Ended: int64(s.GetTime())})
	for _, from := range s.GetIkeSas() {
		sa := &SA{Number: from.GetNumber(), Connection: from.GetConnection(), Path: from.GetPath(), SPIi: from.GetSpiI(), SPIr: from.GetSpiR(),
			RemoteID: from.GetRemoteId(), Phase: from.GetPhase(), Established: int64(from.GetEstablished()), Cause: from.GetCause(), Detail: from.GetDetail()}
		for _, child := range from.GetChildren() {
			sa.Children = append(sa.Children, &Child{Number: child.GetNumber(), Name: child.GetName(), Inbound: child.GetInboundSpi(),
				Outbound: child.GetOutboundSpi(), Phase: child.GetPhase(), Installed: child.GetInstalled() != 0})
		}
		b.sas[sa.Number] = sa
	}
}

func (b *lister) record(r *record.Record) {
	b.c.End = int64(r.GetTime())
	b.run(r)
	for _, number := range About(r) {
		sa := b.sas[number]
		if sa == nil {
			if !creates(r, number) {
				continue // an answer about an SA that is gone, or never was
			}
			sa = &SA{Number: number}
			b.sas[number] = sa
		}
		if sa.End != nil {
			continue
		}
		if sa.First == 0 {
			sa.First = r.GetStep()
		}
		sa.Last = r.GetStep()
		sa.Steps++
	}
	for _, e := range r.GetEffects() {
		if sa := b.sas[e.GetIkeSa()]; sa != nil {
			sa.effect(r, e)
		}
	}
}

// creates reports whether a step makes that IKE SA.
func creates(r *record.Record, number uint64) bool {
	for _, e := range r.GetEffects() {
		if e.GetIkeSa() == number && e.GetChildSa() == 0 && e.GetChanged().GetFrom() == record.Phase_PHASE_NONE && e.GetChanged() != nil {
			return true
		}
	}
	return false
}

func (b *lister) run(r *record.Record) {
	begins := func(number uint64, version string) {
		b.c.Runs = append(b.c.Runs, &Run{Number: number, Version: version, First: r.GetStep(), Began: int64(r.GetTime())})
	}
	switch k := r.GetEvent().GetKind().(type) {
	case *record.Event_Started:
		begins(k.Started.GetRun(), k.Started.GetVersion())
	case *record.Event_Recovered:
		begins(k.Recovered.GetRun(), k.Recovered.GetVersion())
	}
	if len(b.c.Runs) == 0 {
		begins(0, "")
	}
	run := b.c.Runs[len(b.c.Runs)-1]
	run.Last, run.Ended = r.GetStep(), int64(r.GetTime())
	if asked := r.GetEvent().GetShutdownAsked(); asked != nil && run.Asked == nil {
		run.Asked, run.AskedStep, run.AskedTime = asked, r.GetStep(), int64(r.GetTime())
	}
	if ended := r.GetEvent().GetRunEnded(); ended != nil {
		run.Reason = ended.GetReason()
	}
	for _, e := range r.GetEffects() {
		if report := e.GetReport(); report != nil {
			run.Report, run.ReportStep, run.ReportTime = report, r.GetStep(), int64(r.GetTime())
		}
	}
}

// effect takes what a note or an order says of the SA.
func (sa *SA) effect(r *record.Record, e *record.Effect) {
	switch k := e.GetKind().(type) {
	case *record.Effect_Changed:
		if e.GetChildSa() != 0 {
			sa.child(e.GetChildSa()).changed(k.Changed)
			return
		}
		sa.changed(r, k.Changed)
	case *record.Effect_Discarded:
		sa.End, sa.EndStep, sa.Ended = k.Discarded, r.GetStep(), int64(r.GetTime())
		sa.Cause, sa.Detail = k.Discarded.GetCause(), k.Discarded.GetDetail()
	case *record.Effect_Record:
		if m := k.Record; m.GetUnprotected() {
			sa.SPIi, sa.SPIr = m.GetSpiI(), max(m.GetSpiR(), sa.SPIr)
		}
		sa.Path = k.Record.GetPath()
	case *record.Effect_Agree:
		sa.SPIi, sa.SPIr = k.Agree.GetSpiI(), k.Agree.GetSpiR()
	case *record.Effect_CheckAuth:
		sa.RemoteID = k.CheckAuth.GetRemoteId()
	case *record.Effect_AllocateSpi, *record.Effect_InstallChild:
		if install := e.GetInstallChild(); install != nil {
			child := sa.child(e.GetChildSa())
			child.Inbound, child.Outbound = max(child.Inbound, install.GetInboundSpi()), install.GetOutboundSpi()
		}
	}
}

func (sa *SA) changed(r *record.Record, c *record.Changed) {
	sa.Phase = c.GetTo()
	sa.Entered = append(sa.Entered, Entered{c.GetTo(), r.GetStep(), int64(r.GetTime())})
	if c.GetTo() == record.Phase_PHASE_ESTABLISHED {
		sa.Established = int64(r.GetTime())
	}
	if c.GetCause() != record.Cause_CAUSE_NONE {
		sa.Cause, sa.Detail = c.GetCause(), c.GetDetail()
	}
	if c.GetConnection() != "" {
		sa.Connection = c.GetConnection()
	}
	if c.GetPath() != nil {
		sa.Path = c.GetPath()
	}
	if c.GetRemoteId() != nil {
		sa.RemoteID = c.GetRemoteId()
	}
	sa.SPIi, sa.SPIr = max(sa.SPIi, c.GetSpiI()), max(sa.SPIr, c.GetSpiR())
}

func (sa *SA) child(number uint64) *Child {
	for _, child := range sa.Children {
		if child.Number == number {
			return child
		}
	}
	child := &Child{Number: number}
	sa.Children = append(sa.Children, child)
	return child
}

func (c *Child) changed(e *record.Changed) {
	c.Phase, c.Name = e.GetChildTo(), e.GetConnection()
	c.Inbound, c.Outbound = max(c.Inbound, e.GetInboundSpi()), max(c.Outbound, e.GetOutboundSpi())
	c.Installed = c.Installed || e.GetChildTo() == record.ChildPhase_CHILD_PHASE_INSTALLED
}

// About are the IKE SAs that a step is about: that of the event, and those of its effects.
func About(r *record.Record) []uint64 {
	var all []uint64
	add := func(number uint64) {
		if number != 0 && !slices.Contains(all, number) {
			all = append(all, number)
		}
	}
	add(r.GetEvent().GetIkeSa())
	for _, e := range r.GetEffects() {
		add(e.GetIkeSa())
	}
	return all
}

// SA is the IKE SA of that number.
func (c *Catalog) SA(number uint64) (*SA, bool) {
	i, found := slices.BinarySearchFunc(c.SAs, number, func(sa *SA, n uint64) int { return int(sa.Number) - int(n) })
	if !found {
		return nil, false
	}
	return c.SAs[i], true
}

// Run is the life of the daemon that --run names: its number, 0 for the one there is now, -1 for the one before. Where no
// daemon runs, the last life in the journal is the one before.
func (c *Catalog) Run(which int64) (*Run, error) {
	if len(c.Runs) == 0 {
		return nil, notThere("the journal has no run; try: ikejd journal verify")
	}
	if which > 0 {
		for _, run := range c.Runs {
			if run.Number == uint64(which) {
				return run, nil
			}
		}
		return nil, notThere("no run %d here: there are %d to %d; try: --run -1", which, c.Runs[0].Number, c.Runs[len(c.Runs)-1].Number)
	}
	i := int64(len(c.Runs)) + which
	if c.Live {
		i--
	}
	if i == int64(len(c.Runs)) {
		return nil, notThere("no daemon runs now; try: --run -1 for its last life")
	}
	if i < 0 {
		return nil, notThere("the journal has only %d runs; try: --run %d", len(c.Runs), c.Runs[0].Number)
	}
	return c.Runs[i], nil
}
