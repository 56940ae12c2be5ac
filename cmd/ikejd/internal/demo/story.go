package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/ike"
)

// Story is one telling.
type Story struct {
	Program string    // the ikejd to run
	Keep    string    // folder for what the daemons write; "" is one that goes when the story ends
	Out     io.Writer // where it is told

	west, east *node
	wire       *wire
	began      time.Time
}

// tellLimit ends a story that hangs; it takes about ten seconds.
const tellLimit = 60 * time.Second

// Tell tells the story. An error says which chapter did not go as it must.
func (s *Story) Tell(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	dir := s.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ikejd-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s.began = time.Now()
	defer s.clean()
	if err := s.begin(ctx, dir); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{s.setUp, s.crash, s.shutdown, s.explain} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin starts both daemons with the wire between them.
func (s *Story) begin(ctx context.Context, dir string) (err error) {
	if s.west, err = newNode(dir, "west", s.Program); err != nil {
		return err
	}
	if s.east, err = newNode(dir, "east", s.Program); err != nil {
		return err
	}
	if s.wire, err = newWire(side{ike: s.west.ike, nat: s.west.nat}, side{ike: s.east.ike, nat: s.east.nat}); err != nil {
		return err
	}
	if err := s.west.configure("east", s.wire.address()); err != nil {
		return err
	}
	if err := s.east.configure("west", s.wire.toEast.plain.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		return err
	}
	for _, n := range []*node{s.west, s.east} {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	s.say("west and east are running, each with a journal; a wire between them loses what we tell it to")
	return nil
}

// setUp has a tunnel negotiated although the response to IKE_AUTH is lost once.
func (s *Story) setUp(ctx context.Context) error {
	s.wire.loseNext(1, func(h ike.Header, fromWest bool) bool { return h.Exchange == ike.IKE_AUTH && !fromWest })
	if err := s.west.call(ctx, vici.CmdInitiate, vici.KeyIKE, "gw-east", vici.KeyChild, "net"); err != nil {
		return fmt.Errorf("the set-up: %w; west's log:\n%s", err, s.west.log())
	}
	_, lost := s.wire.counts()
	s.say("west set up gw-east; %d response was lost, so west sent its request again and east answered with the same bytes", lost)
	return s.list(ctx, s.west)
}

func (s *Story) list(ctx context.Context, n *node) error {
	lines, err := n.sas(ctx)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s has no SA; its log:\n%s", n.name, n.log())
	}
	for _, line := range lines {
		s.say("  %s has %s", n.name, line)
	}
	return nil
}

// crash kills west and starts it again: the SA is the same one.
func (s *Story) crash(ctx context.Context) error {
	s.west.kill()
	s.say("kill -9 west")
	if err := s.west.start(ctx); err != nil {
		return err
	}
	s.say("west started again, read its journal, and goes on where it was:")
	return s.list(ctx, s.west)
}

// shutdown ends west by SIGTERM while the first response to its Delete is lost.
func (s *Story) shutdown(ctx context.Context) error {
	s.wire.loseNext(2, func(h ike.Header, fromWest bool) bool { return h.Exchange == ike.INFORMATIONAL && !fromWest })
	s.say("SIGTERM to west, and the first two responses to its Delete will be lost")
	if err := s.west.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	code, err := s.west.end(ctx)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("west ended with status %d; its log:\n%s", code, s.west.log())
	}
	s.say("west has ended with status 0; it sent its Delete until the answer came. Its last words:")
	s.say("  %s", lastWords(s.west.log()))
	s.say("SIGTERM to east, which lingers to answer repeats of that Delete")
	if err := s.east.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if code, err = s.east.end(ctx); err != nil || code != 0 {
		return fmt.Errorf("east ended with status %d (%v); its log:\n%s", code, err, s.east.log())
	}
	s.say("east has ended with status 0: %s", lastWords(s.east.log()))
	return nil
}

// lastWords is the report in the last line of a log.
func lastWords(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	_, words, _ := strings.Cut(lines[len(lines)-1], `msg="`)
	words, _, _ = strings.Cut(words, `"`)
	return words
}

// explain asks the journals.
func (s *Story) explain(ctx context.Context) error {
	for _, step := range []struct {
		n    *node
		args []string
	}{
		{s.west, []string{"why", "gw-east"}},
		{s.west, []string{"journal", "verify"}},
		{s.west, []string{"replay"}},
		{s.east, []string{"replay"}},
	} {
		out, err := step.n.read(ctx, step.args...)
		if err != nil {
			return err
		}
		s.quote(fmt.Sprintf("ikejd %s --journal %s/journal", strings.Join(step.args, " "), step.n.name), strings.TrimRight(out, "\n"))
	}
	fmt.Fprintln(s.Out)
	s.say("nothing is left on either side")
	return nil
}

// clean ends what still runs.
func (s *Story) clean() {
	for _, n := range []*node{s.west, s.east} {
		if n != nil {
			n.kill()
		}
	}
	if s.wire != nil {
		s.wire.close()
	}
}

func (s *Story) say(format string, args ...any) {
	fmt.Fprintf(s.Out, "%5.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// quote shows what a command printed.
func (s *Story) quote(command, text string) {
	fmt.Fprintf(s.Out, "\n    $ %s\n", command)
	for line := range strings.Lines(text) {
		fmt.Fprintln(s.Out, strings.TrimRight("    "+strings.TrimRight(line, "\n"), " "))
	}
}
