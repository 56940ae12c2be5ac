package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
)

// generator is the load: one phase after the other, of each a bounded number of SAs at a time.
type generator struct {
	o       Options
	keyring *keys.Keyring
	sockets *udp.Sockets
	ike     netip.AddrPort // ours
	nat     netip.AddrPort

	// firstSPI is the ESP SPI of the first SA; the others follow. It is drawn, since a responder may still hold the Child
	// SAs of a run before, and refuses a pair it has.
	firstSPI uint32

	mu     sync.Mutex
	bySPI  map[uint64]*sa
	all    []*sa
	phase  phase
	out    []udp.Outgoing // to be sent when the lock is given back
	childs int            // SAs that have a Child SA
}

// sa is one of them, and the request of its that waits for an answer. It waits for one at a time.
type sa struct {
	number        int
	init          keys.Init
	spir          uint64
	nr            []byte
	local, remote netip.AddrPort
	request       []byte // our IKE_SA_INIT, which AUTH covers; the responder's is response
	response      []byte
	up            bool

	waiting  []byte // the request in flight; nil: none
	exchange ike.ExchangeType
	began    time.Time // of the phase, for this SA
	due      time.Time // to be sent again
	sends    int
}

// phase is setting up, or deleting: which SAs, and how it went.
type phase struct {
	begin  func(*sa) ([]byte, error) // the first request
	todo   []*sa
	flying map[*sa]struct{}
	began  time.Time
	result Phase
	done   chan struct{}
}

// newGenerator opens the sockets.
func newGenerator(o Options) (*generator, error) {
	local := o.Local
	if !local.IsValid() || local.IsUnspecified() {
		found, err := localFor(o.Peer)
		if err != nil {
			return nil, err
		}
		local = found
	}
	sockets, err := udp.Open(udp.Config{Listen: []netip.Addr{local}, Now: func() int64 { return 0 }, MaxDatagram: 8192})
	if err != nil {
		return nil, err
	}
	g := &generator{o: o, keyring: keys.New(keys.Options{}), sockets: sockets, bySPI: make(map[uint64]*sa, o.SAs),
		firstSPI: 1<<28 | rand.Uint32N(1<<31)}
	ikePort, natPort := sockets.Ports()
	g.ike, g.nat = netip.AddrPortFrom(local, ikePort), netip.AddrPortFrom(local, natPort)
	return g, nil
}

// prepare makes every SA's key share, on all cores: half of an initiator's cost, paid before the clock starts.
func (g *generator) prepare(workers int) error {
	g.all = make([]*sa, g.o.SAs)
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(g.all) && failed[w] == nil; i += workers {
				var init keys.Init
				init, failed[w] = g.keyring.MakeInit(uint16(ike.GroupCurve25519))
				g.all[i] = &sa{number: i, init: init, local: g.ike, remote: g.o.Peer}
			}
		})
	}
	wg.Wait()
	for _, s := range g.all {
		g.bySPI[s.init.SPI] = s
	}
	return errors.Join(failed...)
}

// run is one phase over the SAs in todo.
func (g *generator) run(ctx context.Context, todo []*sa, begin func(*sa) ([]byte, error)) (Phase, error) {
	g.mu.Lock()
	p := &g.phase
	*p = phase{begin: begin, todo: todo, flying: map[*sa]struct{}{}, began: time.Now(), done: make(chan struct{}),
		result: Phase{Asked: len(todo), Failures: map[string]int{}}}
	g.fill()
	g.flush()
	done := p.done
	g.mu.Unlock()
	tick := time.NewTicker(g.o.FirstWait / 8)
	defer tick.Stop()
	for {
		select {
		case <-done:
			g.mu.Lock()
			defer g.mu.Unlock()
			return p.result, nil
		case now := <-tick.C:
			g.resend(now)
		case <-ctx.Done():
			g.mu.Lock()
			defer g.mu.Unlock()
			p.result.Took = time.Since(p.began)
			return p.result, ctx.Err()
		}
	}
}

// fill begins SAs until enough wait for an answer. The lock is held.
func (g *generator) fill() {
	p := &g.phase
	for len(p.flying) < g.o.Outstanding && len(p.todo) > 0 {
		s := p.todo[0]
		p.todo = p.todo[1:]
		p.flying[s] = struct{}{}
		s.began = time.Now()
		request, err := p.begin(s)
		if err != nil {
			g.ended(s, err)
			continue
		}
		g.send(s, request)
	}
	if len(p.flying) == 0 && len(p.todo) == 0 && p.result.Took == 0 {
		p.result.Took = time.Since(p.began)
		close(p.done)
	}
}

// send puts a new request in flight.
func (g *generator) send(s *sa, request []byte) {
	s.waiting, s.exchange, s.sends, s.due = request, ike.ExchangeType(request[18]), 1, time.Now().Add(g.o.FirstWait)
	g.out = append(g.out, udp.Outgoing{Local: s.local, Remote: s.remote, Bytes: request})
}

// ended: nothing more is expected of this SA in this phase.
func (g *generator) ended(s *sa, err error) {
	p := &g.phase
	delete(p.flying, s)
	s.waiting = nil
	if err != nil {
		p.result.Failures[err.Error()]++
		return
	}
	p.result.waits = append(p.result.waits, time.Since(s.began))
}

// receive takes a batch of responses.
func (g *generator) receive(batch []udp.Datagram) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range batch {
		h, err := ike.ParseHeader(batch[i].Bytes)
		if err != nil || h.CheckLength(len(batch[i].Bytes)) != nil {
			continue
		}
		s := g.bySPI[h.SPIi]
		if s == nil || s.waiting == nil || !h.Response() || h.Exchange != s.exchange {
			continue // late, or a request of the responder's: this initiator answers none
		}
		g.answered(s, h, batch[i].Bytes)
	}
	g.fill()
	g.flush()
}

// answered goes on with what comes after the exchange that s was in.
func (g *generator) answered(s *sa, h ike.Header, datagram []byte) {
	switch h.Exchange {
	case ike.IKE_SA_INIT:
		next, err := g.initAnswered(s, h, datagram)
		if err != nil && !errors.Is(err, errAskedAgain) || next == nil {
			g.ended(s, err)
			return
		}
		if err != nil {
			s.request = next
		}
		g.send(s, next)
	case ike.IKE_AUTH:
		child, err := g.authAnswered(s, datagram)
		if errors.Is(err, keys.ErrICV) {
			return
		}
		s.up = err == nil
		if child {
			g.childs++
		}
		s.request, s.response, s.nr = nil, nil, nil
		g.ended(s, err)
	case ike.INFORMATIONAL:
		if g.deleteAnswered(s, datagram) == nil {
			s.up = false
			g.keyring.Destroy(s.init.Ref)
			g.ended(s, nil)
		}
	}
}

// resend repeats what was not answered in time, and gives up what was sent often enough.
func (g *generator) resend(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.phase.flying {
		switch {
		case now.Before(s.due):
		case s.sends >= g.o.Sends:
			g.ended(s, errors.New("no answer"))
		default:
			s.due = now.Add(g.o.FirstWait << s.sends)
			s.sends++
			g.phase.result.Resent++
			g.out = append(g.out, udp.Outgoing{Local: s.local, Remote: s.remote, Bytes: s.waiting})
		}
	}
	g.fill()
	g.flush()
}

func (g *generator) flush() {
	if len(g.out) > 0 {
		g.sockets.Send(g.out)
		clear(g.out)
		g.out = g.out[:0]
	}
}

// firstRequest begins an SA.
func (g *generator) firstRequest(s *sa) ([]byte, error) {
	s.request = g.initRequest(s, nil)
	return s.request, nil
}

// established are the SAs that are up.
func (g *generator) established() []*sa {
	var up []*sa
	for _, s := range g.all {
		if s.up {
			up = append(up, s)
		}
	}
	return up
}
