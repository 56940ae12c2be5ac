package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/bench"
)

// benchOptions are the flags of `ikejd bench` as they are written.
type benchOptions struct {
	bench.Options
	local   string
	pskFile string
	rate    string
}

func newBench(a *app) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench ADDRESS[:PORT]",
		Short: "Load an IKEv2 responder with SAs",
		Long: `Set up IKE SAs, each with a Child SA, against any IKEv2 responder with a pre-shared key and X25519; hold them, and
probe them while they are held; delete them; and say how many a second it took and how long each waited for its answer.
Nothing is installed on this side. What the responder asks meanwhile is answered: liveness checks, Deletes; new SAs and
rekeying are refused with NO_ADDITIONAL_SAS. How far it has come is said on standard error every --progress.

A responder refuses many half-open SAs of one address, as it should: raise its limits for the load (PROTOCOL.md, K-05 and
K-06; in ikejd limits.cookies_from, limits.cookies_from_source, limits.half_open, limits.half_open_source; in strongSwan
dos_protection = no). CPU is given beside what the cryptography alone of a handshake takes at the same time on the same
cores: compare that ratio, not the times.

Interrupted, it sets up no more, deletes what it set up (unless --keep) and reports; interrupted again it stops at once.

With --json one object is printed, of type "load". Times are microseconds, memory is octets; fields are only ever added.

  setUp, probed, deleted  the phases: asked, done, rate (done a second), took, resent (datagrams), unanswered,
                          wait (p50, p90, p99, p99.9, max), failures (a count for each reason)
  children                SAs with a Child SA
  peer                    the responder's requests: answered, deleted (SAs lost to them), children (deleted alone), refused
  cpu, floor              of a set-up here, and of a handshake's cryptography alone
  responder               with --watch, of a set-up: cpu, resident, anonymous, peak

Exit status: 0 every SA went through, and every probe was answered; 1 some did not; 2 it could not begin; 130 interrupted.`,
		Example: "  ikejd bench 192.0.2.1 --psk-file psk --sas 10000 --outstanding 256\n" +
			"  ikejd bench 192.0.2.1 --psk-file psk --rate 50/s --hold 1h --probe 30s --json\n" +
			"  ikejd bench [::1]:5500 --nat-port 5501 --psk-file psk --hold 1m --watch $(pidof charon-systemd)",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runBench(cmd.Context(), a, o, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&o.SAs, "sas", 1000, "`COUNT` of IKE SAs to set up")
	f.IntVar(&o.Outstanding, "outstanding", 32, "`COUNT` that wait for an answer at a time")
	f.StringVar(&o.rate, "rate", "", "begin `N/s` set-ups, then Deletes, at most; also N/m (default as fast as answers come)")
	f.StringVar(&o.pskFile, "psk-file", "", "`FILE` whose first line is the pre-shared key")
	f.StringVar(&o.LocalID, "local-id", "#.bench.example", "our `IDENTITY`, as in swanctl.conf; # is the number of the SA")
	f.StringVar(&o.RemoteID, "remote-id", "", "`IDENTITY` asked of the responder (default none in particular)")
	f.StringVar(&o.local, "local", "", "`ADDRESS` to send from (default what the route to the responder says)")
	f.Uint16Var(&o.NATPort, "nat-port", 4500, "the responder's `PORT` behind NATs")
	f.DurationVar(&o.Hold, "hold", 0, "how long the SAs stay before they are deleted")
	f.DurationVar(&o.Probe, "probe", 0, "while they stay, ask each SA once in this time whether its peer lives (0: never)")
	f.DurationVar(&o.TellEvery, "progress", 10*time.Second, "say how far it has come once in this time (0: never; nor with -q or --json)")
	f.BoolVar(&o.Keep, "keep", false, "leave the SAs up at the responder")
	f.BoolVar(&o.HalfOpen, "half-open", false, "IKE_SA_INIT only")
	f.DurationVar(&o.FirstWait, "first-wait", time.Second, "before a request is sent again; each further wait is twice as long")
	f.IntVar(&o.Sends, "sends", 5, "`COUNT` of sends before an SA is given up")
	f.IntVar(&o.Watch, "watch", 0, "process `ID` of the responder, on this host: its CPU and memory are read too")
	return cmd
}

func runBench(ctx context.Context, a *app, o benchOptions, peer string) error {
	var err error
	if o.Peer, err = parsePeer(ctx, peer); err != nil {
		return err
	}
	if o.local != "" {
		if o.Local, err = netip.ParseAddr(o.local); err != nil {
			return fmt.Errorf("--local %q is not an address", o.local)
		}
	}
	if o.pskFile != "" {
		text, err := os.ReadFile(o.pskFile)
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(string(text), "\n")
		o.PSK = []byte(strings.TrimSuffix(line, "\r"))
	}
	if o.Rate, err = parseRate(o.rate); err != nil {
		return err
	}
	if o.TellEvery > 0 && !a.quiet && !a.json {
		o.Tell = func(p bench.Progress) {
			fmt.Fprintf(a.std.Err, "%-10s %v: %d of %d, %d failed, %d waiting, %d up\n", p.Phase, p.For.Round(time.Second/10), p.Done, p.Asked, p.Failed,
				p.Waiting, p.Up)
		}
	}
	halt, forget := interruptedAgain(ctx)
	defer forget()
	report, err := bench.Run(ctx, halt, o.Options)
	if report == nil {
		return err
	}
	if a.json {
		err = errors.Join(err, a.object(loadOf(report)))
	} else {
		err = errors.Join(err, report.Write(a.out(), a.quiet))
	}
	if err == nil && report.Failed() {
		return found()
	}
	return err
}

// interruptedAgain is a context that ends with the first interrupt after ctx has ended.
func interruptedAgain(ctx context.Context) (context.Context, context.CancelFunc) {
	again, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt)
		defer signal.Stop(signals)
		select {
		case <-signals:
			cancel()
		case <-again.Done():
		}
	})
	return again, func() {
		stop()
		cancel()
	}
}

// parseRate reads N/s or N/m; a bare N is a second. It gives N a second, 0 for "".
func parseRate(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0 && n <= 1e6) || unit != "" && unit != "s" && unit != "m" || strings.HasSuffix(text, "/") {
		return 0, fmt.Errorf("--rate %q is no rate; try: --rate 100/s, or 30/m", text)
	}
	if unit == "m" {
		n /= 60
	}
	return n, nil
}

// loadJSON is the report for programs; the command's help has what its fields are.
type loadJSON struct {
	V         int            `json:"v"`
	Type      string         `json:"type"`
	SetUp     phaseJSON      `json:"setUp"`
	Children  int            `json:"children"`
	Probed    phaseJSON      `json:"probed"`
	Deleted   phaseJSON      `json:"deleted"`
	Peer      peerJSON       `json:"peer"`
	CPU       int64          `json:"cpu"`
	Floor     int64          `json:"floor,omitempty"`
	Responder *responderJSON `json:"responder,omitempty"`
}

type phaseJSON struct {
	Asked      int              `json:"asked"`
	Done       int              `json:"done"`
	Rate       float64          `json:"rate"`
	Took       int64            `json:"took"`
	Resent     int              `json:"resent"`
	Unanswered int              `json:"unanswered"`
	Wait       map[string]int64 `json:"wait"`
	Failures   map[string]int   `json:"failures"`
}

type peerJSON struct {
	Answered int `json:"answered"`
	Deleted  int `json:"deleted"`
	Children int `json:"children"`
	Refused  int `json:"refused"`
}

type responderJSON struct {
	CPU       int64 `json:"cpu"`
	Resident  int64 `json:"resident"`
	Anonymous int64 `json:"anonymous"`
	Peak      int64 `json:"peak"`
}

func loadOf(r *bench.Report) loadJSON {
	load := loadJSON{V: 1, Type: "load", SetUp: phaseOf(&r.SetUp), Children: r.Children, Probed: phaseOf(&r.Probe),
		Deleted: phaseOf(&r.Delete), Peer: peerJSON(r.Peer), CPU: r.OwnCPU.Microseconds(), Floor: r.Floor.Microseconds()}
	if r.Watched {
		load.Responder = &responderJSON{CPU: r.ResponderCPU.Microseconds(), Resident: r.Resident, Anonymous: r.RssAnon, Peak: r.Peak}
	}
	return load
}

func phaseOf(p *bench.Phase) phaseJSON {
	wait := map[string]int64{}
	for name, q := range map[string]float64{"p50": .5, "p90": .9, "p99": .99, "p99.9": .999, "max": 1} {
		wait[name] = p.Wait(q).Microseconds()
	}
	failures := map[string]int{}
	maps.Copy(failures, p.Failures)
	return phaseJSON{Asked: p.Asked, Done: p.Done(), Rate: math.Round(p.Rate()*100) / 100, Took: p.Took.Microseconds(), Resent: p.Resent,
		Unanswered: p.Unanswered(), Wait: wait, Failures: failures}
}

// parsePeer reads an address or a name, with or without a port.
func parsePeer(ctx context.Context, text string) (netip.AddrPort, error) {
	if peer, err := netip.ParseAddrPort(text); err == nil {
		return peer, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), "500"
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q has no port: %w", text, err)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address and no name: %w", text, err)
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(number)), nil
}
