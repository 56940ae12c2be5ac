package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// Run makes the load and reports. When ctx ends it sets up no more and deletes what is up; when halt ends it stops at once.
// It then says how far it came, and the error is ctx's.
func Run(ctx, halt context.Context, o Options) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	g, err := newGenerator(o)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer g.sockets.Close()
	if err := g.prepare(runtime.GOMAXPROCS(0)); err != nil {
		return nil, err
	}
	wg.Go(func() { _ = g.sockets.Receive(g.receive) }) // ends with Close; where it ends earlier, nothing is answered
	report := &Report{HalfOpen: o.HalfOpen}

	m, err := startMeter(o.Watch)
	if err != nil {
		return nil, err
	}
	setUp := phase{name: settingUp, begin: g.firstRequest, todo: g.all, limit: o.Outstanding, pace: o.pace()}
	report.SetUp, err = g.run(ctx, halt, setUp)
	m.stop(report, max(report.SetUp.Done(), 1))
	report.Children = g.childs
	if err == nil && o.Hold > 0 && !o.HalfOpen && ctx.Err() == nil {
		report.Probe, err = g.run(ctx, halt, g.holds())
	}
	if err == nil && !o.Keep && !o.HalfOpen {
		report.Delete, err = g.run(context.Background(), halt, phase{name: deleting, begin: g.deleteRequest, answered: g.deleted,
			todo: g.established(), limit: o.Outstanding, pace: o.pace()})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	report.Peer = g.peer
	return report, errors.Join(ctx.Err(), err)
}

// The names of the phases.
const settingUp, holding, deleting = "setting up", "holding", "deleting"

// holds is the phase in which SAs are up and, where that was asked for, each is probed again and again, one after the
// other.
func (g *generator) holds() phase {
	p := phase{name: holding, lasts: g.o.Hold, begin: g.probeRequest, answered: func(*sa) {}}
	if up := g.established(); g.o.Probe > 0 && len(up) > 0 {
		p.todo, p.limit, p.pace = up, len(up), g.o.Probe/time.Duration(len(up))
	}
	return p
}

// pace is the time from one SA to the next.
func (o *Options) pace() time.Duration {
	if o.Rate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / o.Rate)
}

// localFor is the address of ours that datagrams to peer leave from.
func localFor(peer netip.AddrPort) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %v: %w", peer.Addr(), err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
