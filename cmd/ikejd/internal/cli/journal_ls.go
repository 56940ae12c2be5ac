package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

type listOptions struct {
	selection
	ended, alive bool
}

func newList(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "ls [SA…]",
		Short:   "One line for each IKE SA",
		Example: "  ikejd journal ls --ended --run -1\n  ikejd journal ls 203.0.113.9",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runList(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSteps(cmd)
	o.bindLimit(cmd, "SAs")
	cmd.Flags().BoolVar(&o.ended, "ended", false, "only SAs that are gone")
	cmd.Flags().BoolVar(&o.alive, "alive", false, "only SAs that are not gone")
	return cmd
}

func runList(ctx context.Context, a *app, cmd *cobra.Command, o *listOptions, args []string) error {
	if o.ended && o.alive {
		return errors.New("--ended and --alive leave nothing; try one of them")
	}
	p, err := o.read(ctx, a, cmd, args)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	list := p.SAs
	if list == nil {
		list = p.Catalog.SAs
	}
	var rows []*replay.SA
	for _, sa := range list {
		switch {
		case o.limit > 0 && len(rows) == o.limit:
		case o.ended && sa.End == nil, o.alive && sa.End != nil:
		case p.Run != nil && sa.End != nil && sa.EndStep < p.Run.First, sa.First > p.until, sa.Last < p.since && sa.End != nil:
		default:
			rows = append(rows, sa)
		}
	}
	if a.json {
		for _, sa := range rows {
			if err := a.object(listed(sa)); err != nil {
				return err
			}
		}
		return nil
	}
	a.table(rows)
	return nil
}

// table prints SAs in columns; steps to the right, everything else to the left.
func (a *app) table(rows []*replay.SA) {
	cells := [][]string{{"SA", "PEER", "NAME", "ESTABLISHED", "ENDED", "STEPS", "CHILDREN", "END"}}
	for _, sa := range rows {
		cells = append(cells, []string{text.SA(sa.Number), sa.Peer(), dash(name(sa)), a.clock(sa.Established, 8), a.clock(sa.Ended, 12),
			fmt.Sprint(sa.Steps), fmt.Sprint(sa.Installed()), sa.Ending()})
	}
	columns(a.out(), cells, 5)
}

// clock is a time of day cut to so many characters, a dash for none.
func (a *app) clock(ns int64, chars int) string {
	if ns == 0 {
		return "-"
	}
	return text.Clock(ns, a.place())[:chars]
}

// name is the connection; of a name that could upset a terminal its quoted form.
func name(sa *replay.SA) string {
	if q := text.Quote(sa.Connection); q != `"`+sa.Connection+`"` {
		return q
	}
	return sa.Connection
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

type listedJSON struct {
	V           int         `json:"v"`
	Type        string      `json:"type"`
	SA          string      `json:"sa"`
	Peer        string      `json:"peer,omitempty"`
	Name        string      `json:"name,omitempty"`
	Identity    string      `json:"identity,omitempty"`
	SPIi        string      `json:"spiI,omitempty"`
	SPIr        string      `json:"spiR,omitempty"`
	State       string      `json:"state"`
	Established string      `json:"established,omitempty"`
	Ended       string      `json:"ended,omitempty"`
	First       uint64      `json:"first"`
	Last        uint64      `json:"last"`
	Steps       uint64      `json:"steps"`
	Children    []childJSON `json:"children"`
	Cause       string      `json:"cause,omitempty"`
	Detail      string      `json:"detail,omitempty"`
	Sends       uint32      `json:"sends,omitempty"`
}

type childJSON struct {
	Child    string `json:"child"`
	Name     string `json:"name,omitempty"`
	Inbound  string `json:"inbound,omitempty"`
	Outbound string `json:"outbound,omitempty"`
	State    string `json:"state"`
}

func listed(sa *replay.SA) listedJSON {
	line := listedJSON{V: 1, Type: "sa", SA: text.SA(sa.Number), Peer: sa.Peer(), Name: sa.Connection, SPIi: spi(sa.SPIi, 16), SPIr: spi(sa.SPIr, 16),
		State: text.Phase(sa.Phase), Established: rfc3339(sa.Established), Ended: rfc3339(sa.Ended), First: sa.First, Last: sa.Last,
		Steps: sa.Steps, Children: []childJSON{}, Detail: sa.Detail, Sends: sa.Sends()}
	if sa.RemoteID.GetType() != 0 {
		line.Identity = text.Identity(sa.RemoteID)
	}
	if sa.Cause != record.Cause_CAUSE_NONE {
		line.Cause = strings.ReplaceAll(text.Cause(sa.Cause), " ", "-")
	}
	for _, c := range sa.Children {
		line.Children = append(line.Children, childJSON{text.Child(c.Number), c.Name, spi(uint64(c.Inbound), 8), spi(uint64(c.Outbound), 8), text.ChildPhase(c.Phase)})
	}
	return line
}

// spi is an SPI in hex digits, empty for none.
func spi(v uint64, digits int) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%0*x", digits, v)
}

// day is the date of a time, for the line that a new day begins with.
func (a *app) day(ns uint64) string {
	return time.Unix(0, int64(ns)).In(a.place()).Format(time.DateOnly)
}
