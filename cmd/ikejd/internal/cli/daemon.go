package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/daemon"
	"github.com/ikejd/ikejd/effects/keys"
)

// Where things are unless flags say otherwise (DESIGN.md, "The program").
const (
	defaultConfig   = "/etc/ikejd/swanctl.conf"
	defaultVaultKey = "/etc/ikejd/vault.key"
)

// runOptions are the flags of `ikejd run` as they are written.
type runOptions struct {
	daemon.Options
	listen   []string
	budget   time.Duration
	logLevel string
	vaultKey string
}

func newRun(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon until SIGTERM, which shuts it down: every IKE SA gets its Delete by way of its window, and the report,
the last thing logged, says how each ended. SIGHUP reads the configuration again. It is up when it logs "ready".

Exit status: 0 every SA ended within the budget; 3 one ended as cut off; 1 the daemon had to stop; 2 it could not start.`,
		Example: "  ikejd run --config swanctl.conf --journal journal --socket ikejd.vici --dataplane none",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Version, o.Journal, o.Socket = a.version, a.journal, a.socket
			if cmd.Flags().Changed("shutdown-budget") {
				o.ShutdownBudget = &o.budget
			}
			return runDaemon(cmd.Context(), o, a.std.Err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Config, "config", defaultConfig, "configuration, in swanctl.conf's grammar")
	f.StringVar(&o.Dataplane, "dataplane", "kernel", "kernel (of Linux: xfrm says the same) or none, which installs nothing and records what would be installed")
	f.StringArrayVar(&o.listen, "listen", nil, "address to listen on; repeats (default any)")
	f.Uint16Var(&o.Port, "port", 500, "IKE port; 0 takes a free one, which the ready line names")
	f.Uint16Var(&o.NATPort, "nat-port", 4500, "port behind NATs; 0 likewise")
	f.DurationVar(&o.budget, "shutdown-budget", 0, "how long a shutdown may take (default 30s, or the configuration's)")
	f.BoolVar(&o.KeepSAs, "keep-sas", false, "leave SAs up at exit for the next start to take over")
	f.StringVar(&o.vaultKey, "vault-key", "", "key of the vault; made when it is not there (default systemd's credential ikejd-vault, else "+defaultVaultKey+")")
	f.StringVar(&o.Metrics, "metrics", "", "answer /metrics for Prometheus at this loopback `ADDR` and port, or socket's path (default nowhere)")
	f.BoolVar(&o.Audit, "audit", false, "judge the journal by the audit's rules while it is written: a log line and a metric for each finding")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func runDaemon(ctx context.Context, o runOptions, stderr io.Writer) error {
	for _, text := range o.listen {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("--listen %q is not an address", text)
		}
		o.Listen = append(o.Listen, address)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return fmt.Errorf("--log-level %q: choose debug, info, warn or error", o.logLevel)
	}
	if o.Journal == "" {
		o.Journal = defaultJournal
	}
	o.VaultKey = whichVaultKey(o.vaultKey)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: logTime}))
	code, err := daemon.Run(context.WithoutCancel(ctx), signals, o.Options, log)
	if err != nil {
		return &status{code: code, err: err}
	}
	if code != exitFine {
		return &status{code: code}
	}
	return nil
}

// whichVaultKey is the file of the flag; else systemd's credential, where the unit gives that one (it may give others);
// else the default.
func whichVaultKey(flag string) keys.VaultKey {
	if flag != "" {
		return keys.VaultKey{Path: flag}
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		credential := filepath.Join(dir, "ikejd-vault")
		if _, err := os.Lstat(credential); !errors.Is(err, fs.ErrNotExist) {
			return keys.VaultKey{Path: credential, Credential: true}
		}
	}
	return keys.VaultKey{Path: defaultVaultKey}
}

// logTime writes the time with milliseconds, which is what a journal's steps are printed with.
func logTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		a.Value = slog.StringValue(a.Value.Time().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	return a
}
