package bench

import (
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
	peer   Asked
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
	child         uint32 // the responder's SPI of the Child SA, 0: there is none

	waiting  []byte // the request in flight; nil: none
	exchange ike.ExchangeType
	id       uint32    // of the request in flight, or of the last one
	began    time.Time // of the phase, for this SA
	due      time.Time // to be sent again
	sends    int

	expected uint32 // id of the responder's next request
	answer   []byte // to its last one, for its repeats
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
		firstSPI: 1<<28 | rand.Uint32N(1<<31), phase: phase{over: true}}
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

// receive takes a batch of what the responder sends.
func (g *generator) receive(batch []udp.Datagram) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range batch {
		h, err := ike.ParseHeader(batch[i].Bytes)
		if err != nil || h.CheckLength(len(batch[i].Bytes)) != nil {
			continue
		}
		s := g.bySPI[h.SPIi]
		switch {
		case s == nil:
		case !h.Response():
			g.asked(s, h, batch[i].Bytes)
		case s.waiting != nil && h.Exchange == s.exchange && h.MessageID == s.id:
			g.answered(s, h, batch[i].Bytes)
		}
	}
	g.fill(time.Now())
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
		err := g.authAnswered(s, datagram)
		if errors.Is(err, keys.ErrICV) {
			return
		}
		s.up = err == nil
		if s.child != 0 {
			g.childs++
		}
		s.request, s.response, s.nr = nil, nil, nil
		g.ended(s, err)
	case ike.INFORMATIONAL:
		if g.authentic(s, datagram) {
			g.phase.answered(s)
			g.ended(s, nil)
		}
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
