package xfrm

// Infinite is a limit that is none (XFRM_INF).
const Infinite = ^uint64(0)

// Limit is where a state or policy ends, or softly (an EXPIRE event comes, and it lives on). 0 octets or packets is none
// at all, as the kernel reads it: NoLimits is what says "for ever". 0 seconds is for ever.
type Limit struct {
	Bytes, Packets    uint64
	AddedFor, UsedFor uint64 // seconds since it was made, since its first packet
}

// Limits is struct xfrm_lifetime_cfg, 64 octets.
type Limits struct{ Soft, Hard Limit }

// NoLimits lets a state or policy live until it is deleted.
var NoLimits = Limits{Limit{Bytes: Infinite, Packets: Infinite}, Limit{Bytes: Infinite, Packets: Infinite}}

func (l *Limits) write(w *writer) {
	for _, pair := range [][2]uint64{{l.Soft.Bytes, l.Hard.Bytes}, {l.Soft.Packets, l.Hard.Packets},
		{l.Soft.AddedFor, l.Hard.AddedFor}, {l.Soft.UsedFor, l.Hard.UsedFor}} {
		w.u64(pair[0])
		w.u64(pair[1])
	}
}

func (l *Limits) read(r *reader) {
	l.Soft.Bytes, l.Hard.Bytes = r.u64(), r.u64()
	l.Soft.Packets, l.Hard.Packets = r.u64(), r.u64()
	l.Soft.AddedFor, l.Hard.AddedFor = r.u64(), r.u64()
	l.Soft.UsedFor, l.Hard.UsedFor = r.u64(), r.u64()
}

// Usage is what a state or policy has carried (struct xfrm_lifetime_cur, 32 octets). The times are UTC seconds; Used is 0
// until the first packet. Of a request it is all zeros.
type Usage struct {
	Bytes, Packets uint64
	Added, Used    uint64
}

func (u *Usage) write(w *writer) {
	w.u64(u.Bytes)
	w.u64(u.Packets)
	w.u64(u.Added)
	w.u64(u.Used)
}

func (u *Usage) read(r *reader) {
	u.Bytes, u.Packets, u.Added, u.Used = r.u64(), r.u64(), r.u64(), r.u64()
}
