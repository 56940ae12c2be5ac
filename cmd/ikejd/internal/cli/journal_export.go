package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/export"
)

type exportOptions struct {
	selection
	file string
	test bool
}

func newExport(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export [SA…] -o FILE",
		Short: "Write steps into a file for others: .ikej, .ndjson, .pcapng, .txt",
		Long: `export writes what is selected into FILE, whose name says how:

  .ikej    a case: the steps, the state before them, who wrote them, and their proof; it replays anywhere. With SAs named
           it has all steps from the first to the last one of theirs, since numbers and timers hang on every step
  .ndjson  one JSON object a step, as "journal cat --json" prints it
  .pcapng  the datagrams as they were, each with a comment which step, SA and message it is; IP and UDP headers are made up
  .txt     with --test: what happened to the SAs as a script for reducer/testdata; "go test ./reducer -rewrite" fills in
           what comes of it

No key is in any of them: a journal has none.`,
		Example: "  ikejd journal export gw-east -o case.ikej\n  ikejd journal export ike7 --since ike7.deleting -o delete.pcapng",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSteps(cmd)
	cmd.Flags().BoolVar(&o.test, "test", false, "a .txt file is a test of the reducer")
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "the `FILE` to write; it must not be there")
	return cmd
}

func runExport(ctx context.Context, a *app, cmd *cobra.Command, o *exportOptions, args []string) error {
	var write func(context.Context, *app, io.Writer, *picked, export.Range) error
	switch ext := filepath.Ext(o.file); {
	case o.test != (ext == ".txt"):
		return errors.New("a test is a .txt file, and only a test is; try: --test -o NAME.txt")
	case ext == ".txt":
		write = writeTest
	case ext == ".ikej":
		write = writeCase
	case ext == ".ndjson":
		write = writeSteps
	case ext == ".pcapng":
		write = writeCapture
	default:
		return errors.New("export wants to know what to write; try: -o FILE.ikej, -o FILE.ndjson or -o FILE.pcapng")
	}
	p, err := o.read(ctx, a, cmd, args)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	r := export.Of(p.SAs, p.since, p.until)
	r.About = p.About
	if r.First > r.Last {
		return noSuch(&replay.NotThere{What: "nothing happened there to those SAs; try: ikejd journal ls"})
	}
	if err := create(o.file, func(w io.Writer) error { return write(ctx, a, w, p, r) }); err != nil {
		return err
	}
	if !a.quiet {
		fmt.Fprintf(a.std.Err, "%s: steps %d to %d\n", o.file, r.First, r.Last)
	}
	return nil
}

// create writes a file that was not there; where that fails it is not there afterwards.
func create(file string, write func(io.Writer) error) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; try another name", file)
	}
	if err != nil {
		return fmt.Errorf("%w; try another place", err)
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(file)
	}
	return err
}

func writeCase(ctx context.Context, _ *app, w io.Writer, p *picked, r export.Range) error {
	return export.Case(ctx, w, p.Source, p.Catalog, r)
}

func writeCapture(ctx context.Context, a *app, w io.Writer, p *picked, r export.Range) error {
	return export.Capture(ctx, w, p.Source, r, "ikejd "+a.version)
}

func writeTest(ctx context.Context, _ *app, w io.Writer, p *picked, r export.Range) error {
	sas := p.SAs
	if sas == nil {
		sas = p.Catalog.SAs
	}
	return noSuch(export.Script(ctx, w, p.Source, sas, r))
}

func writeSteps(ctx context.Context, a *app, w io.Writer, p *picked, r export.Range) error {
	pr := printer{a: a, p: p, w: w, json: true}
	for step, err := range replay.Walk(ctx, p.Source, r.First) {
		if err != nil {
			return err
		}
		if step.Record.GetStep() > r.Last {
			break
		}
		if !p.About(step.Record) {
			continue
		}
		if err := pr.step(step); err != nil {
			return err
		}
	}
	return nil
}
