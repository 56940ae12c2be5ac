package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// Run makes the load and reports. When ctx ends it says how far it came, and the error is ctx's.
func Run(ctx context.Context, o Options) (*Report, error) {
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
	report.SetUp, err = g.run(ctx, g.all, g.firstRequest)
	m.stop(report, max(len(report.SetUp.waits), 1))
	report.Children = g.childs
	if err != nil || o.HalfOpen {
		return report, err
	}
	if err := pause(ctx, o.Hold); err != nil || o.Keep {
		return report, err
	}
	report.Delete, err = g.run(ctx, g.established(), g.deleteRequest)
	return report, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
