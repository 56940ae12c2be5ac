package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// dialer reaches the journal of a running daemon by its control socket. errNoDaemon: none listens there.
type dialer func(ctx context.Context, socket string) (replay.Source, error)

var errNoDaemon = errors.New("no daemon")

// open is where a command reads: --journal, else the running daemon, else the configured journal. It says on stderr which.
func (a *app) open(ctx context.Context) (replay.Source, error) {
	src, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	if !a.quiet {
		fmt.Fprintln(a.std.Err, "source: "+src.Where()+a.ends(src))
	}
	return src, nil
}

func (a *app) find(ctx context.Context) (replay.Source, error) {
	if a.journal != "" {
		return replay.Open(a.journal)
	}
	src, err := a.daemon(ctx, a.socket)
	if !errors.Is(err, errNoDaemon) {
		return src, err
	}
	if _, err := os.Stat(defaultJournal); err != nil {
		return nil, fmt.Errorf("no daemon answers at %s and there is no journal in %s; try: --journal PATH", a.socket, defaultJournal)
	}
	return replay.Open(defaultJournal)
}

// ends is until when the source reaches: with the day where that is not today, and the zone where it is not UTC.
func (a *app) ends(src replay.Source) string {
	last := src.Last()
	if last.Step == 0 {
		return ", empty"
	}
	at := last.Time
	if r, err := replay.Record(src, last.Step); err == nil {
		at = int64(r.GetTime()) // a case file may end within a batch, and the position is that of the last whole one
	}
	end := time.Unix(0, at).In(a.place())
	said := text.Clock(at, a.place())
	if end.Format(time.DateOnly) != a.std.Now().In(a.place()).Format(time.DateOnly) {
		said = end.Format(time.DateOnly) + " " + said
	}
	if zone, _ := end.Zone(); zone != "UTC" {
		said += " " + zone
	}
	return ", ends " + said
}
