package engine

import (
	"hash/maphash"
	"net/netip"
	"sync"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// index finds IKE SAs by what datagrams and identities say of them. It is derived from the State and lives beside it:
// it names an SA's number, and the reducer checks that it is the right one. The engine writes it, the door reads it.
type index struct {
	mu       sync.RWMutex
	seed     maphash.Seed
	spis     map[uint64]uint64   // our SPI -> SA
	inits    map[uint64]uint64   // digest of an IKE_SA_INIT request we answered -> SA (PROTOCOL.md, W-19)
	peers    map[uint64][]uint64 // hash of the identity pair -> SAs, in the order of their numbers
	sources  map[netip.Addr]int  // half-open SAs of a source
	entries  map[uint64]entry
	halfOpen int
	coming   map[uint64]uint64   // our SPI of an SA that is being made -> the one it is to take the place of: the peer may use it before we do
	makes    map[uint64][]uint64 // and the other way round
}

// entry is how an SA stands in the maps.
type entry struct {
	spi, init, peers uint64
	source           netip.Addr // while it is half-open, as responder
}

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), spis: map[uint64]uint64{}, inits: map[uint64]uint64{}, peers: map[uint64][]uint64{},
		sources: map[netip.Addr]int{}, entries: map[uint64]entry{}, coming: map[uint64]uint64{}, makes: map[uint64][]uint64{}}
}

// update brings SA number up to date; nil is gone.
func (x *index) update(number uint64, sa *reducer.IKESA) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expect(number, sa)
	old, had := x.entries[number]
	if sa == nil {
		if had {
			x.forget(number, old)
			delete(x.entries, number)
		}
		return
	}
	now := entry{spi: ourSPI(sa), init: old.init}
	if sa.Phase == reducer.HalfOpen && !sa.Initiator {
		now.source = source(sa.Path.Remote.Addr())
		if now.init == 0 && len(sa.Window.Answered) > 0 {
			now.init = sa.Window.Answered[0].Request
		}
	}
	if sa.Phase >= reducer.Established || sa.Initiator {
		now.peers = x.pair(sa.LocalID, sa.RemoteID)
	}
	if had && now == old {
		return
	}
	if had {
		x.forget(number, old)
	}
	x.enter(number, now)
	x.entries[number] = now
}

// expect notes the SPIs of SAs that are being made in the place of one.
func (x *index) expect(number uint64, sa *reducer.IKESA) {
	var spis []uint64
	if sa != nil {
		spis = sa.ComingSPIs()
	}
	if len(spis) == 0 && len(x.makes) == 0 {
		return
	}
	for _, spi := range x.makes[number] {
		delete(x.coming, spi)
	}
	delete(x.makes, number)
	for _, spi := range spis {
		x.coming[spi] = number
	}
	if len(spis) > 0 {
		x.makes[number] = spis
	}
}

// comes reports whether that is our SPI of an SA that is being made.
func (x *index) comes(spi uint64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, coming := x.coming[spi]
	return coming
}

func (x *index) enter(number uint64, e entry) {
	if e.spi != 0 {
		x.spis[e.spi] = number
	}
	if e.init != 0 {
		x.inits[e.init] = number
	}
	if e.peers != 0 {
		x.peers[e.peers] = append(x.peers[e.peers], number)
	}
	if e.source.IsValid() {
		x.sources[e.source]++
		x.halfOpen++
	}
}

func (x *index) forget(number uint64, e entry) {
	if x.spis[e.spi] == number {
		delete(x.spis, e.spi)
	}
	if x.inits[e.init] == number {
		delete(x.inits, e.init)
	}
	if list := x.peers[e.peers]; e.peers != 0 {
		for i, n := range list {
			if n == number {
				list = append(list[:i:i], list[i+1:]...)
				break
			}
		}
		if x.peers[e.peers] = list; len(list) == 0 {
			delete(x.peers, e.peers)
		}
	}
	if e.source.IsValid() {
		if x.sources[e.source]--; x.sources[e.source] == 0 {
			delete(x.sources, e.source)
		}
		x.halfOpen--
	}
}

// ourSPI is the SPI by which the peer names the SA to us.
func ourSPI(sa *reducer.IKESA) uint64 {
	if sa.Initiator {
		return sa.SPIi
	}
	return sa.SPIr
}

// find is the SA a header is about, by the SPI that is ours in it.
func (x *index) find(h ike.Header) (uint64, bool) {
	spi := h.SPIi
	if h.Initiator() {
		spi = h.SPIr // its sender is the original initiator, so we are the responder
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	number, ok := x.spis[spi]
	return number, ok
}

// bySPI is the SA of ours with that SPI of ours.
func (x *index) bySPI(spi uint64) uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.spis[spi]
}

// answered is the SA that was made by an IKE_SA_INIT request with that digest.
func (x *index) answered(digest uint64) (uint64, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	number, ok := x.inits[digest]
	return number, ok
}

// crowd is how many SAs are half-open: in all, and of one source.
func (x *index) crowd(a netip.Addr) (all, source int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.halfOpen, x.sources[a]
}

// between are the SAs of that identity pair; of nobody when an identity is open.
func (x *index) between(local, remote reducer.Identity) []uint64 {
	if local.Type == 0 || remote.Type == 0 {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	return append([]uint64(nil), x.peers[x.pair(local, remote)]...)
}

func (x *index) pair(local, remote reducer.Identity) uint64 {
	if local.Type == 0 || remote.Type == 0 {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(x.seed)
	h.WriteByte(byte(local.Type))
	h.WriteString(local.Data)
	h.WriteByte(0)
	h.WriteByte(byte(remote.Type))
	h.WriteString(remote.Data)
	return h.Sum64() | 1
}
