package xfrm

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Mode is what a state does to a packet (XFRM_MODE_*).
type Mode uint8

// The modes of IKEv2's Child SAs.
const (
	Transport Mode = 0
	Tunnel    Mode = 1
)

// Direction ties a state to one direction (XFRMA_SA_DIR, since Linux 6.10, which then refuses what makes no sense in that
// direction). Older kernels ignore it.
type Direction uint8

// The directions of a state.
const (
	AnyDirection Direction = 0
	Inbound      Direction = 1
	Outbound     Direction = 2
)

// Mark is a value under a mask.
type Mark struct{ Value, Mask uint32 }

// State flags of struct xfrm_usersa_info that this package sets or gives. ESN is Replay.ESN.
const (
	NoECN      = nl.XFRM_STATE_NOECN
	DecapDSCP  = nl.XFRM_STATE_DECAP_DSCP
	NoPMTUDisc = nl.XFRM_STATE_NOPMTUDISC
	AnyFamily  = nl.XFRM_STATE_AF_UNSPEC // tunnel mode carries both families
	flagESN    = nl.XFRM_STATE_ESN
)

// Extra flags (XFRMA_SA_EXTRA_FLAGS).
const (
	DontEncapDSCP = nl.XFRM_SA_XFLAG_DONT_ENCAP_DSCP
	OSeqMayWrap   = nl.XFRM_SA_XFLAG_OSEQ_MAY_WRAP
)

// State is one direction of a Child SA (struct xfrm_usersa_info and its attributes). What the kernel only says and is
// never told (Usage, the counters) is ignored in requests.
type State struct {
	Src, Dst     netip.Addr
	SPI          uint32
	Protocol     uint8 // IP's: 50 ESP, 51 AH
	Mode         Mode
	Selector     Selector
	Limits       Limits
	Seq          uint32 // of the ACQUIRE that this answers, or of whoever made it
	ReqID        uint32 // ties a state to policies
	Flags        uint8
	ExtraFlags   uint32
	Replay       Replay
	Encryption   *Algorithm
	Integrity    *Algorithm
	AEAD         *Algorithm
	Encap        *Encap
	Mark         Mark // Mask 0 is none
	OutputMark   Mark // put on packets that leave; Value 0 is none
	IfID         uint32
	TFCPad       uint32
	Offload      *Offload
	Direction    Direction
	CPU          *uint32 // for one processor's packets alone (Linux 6.13)
	NATKeepalive uint32  // seconds between keepalives that the kernel sends (Linux 6.11), 0 is none

	Usage             Usage
	LastUsed          uint64 // UTC seconds
	ReplayWindowDrops uint32 // packets older than the window
	Replayed          uint32
	IntegrityFailed   uint32
}

// WipeKeys overwrites the keys: of a state that was decoded they are copies.
func (s *State) WipeKeys() {
	for _, a := range []*Algorithm{s.Encryption, s.Integrity, s.AEAD} {
		if a != nil {
			a.Key.Wipe()
		}
	}
}

// family is that of the outer addresses.
func (s *State) family() uint16 { return family(s.Dst) }

// writeInfo writes struct xfrm_usersa_info, 224 octets.
func (s *State) writeInfo(w *writer) {
	s.Selector.write(w)
	w.addr(s.Dst)
	w.be32(s.SPI)
	w.u8(s.Protocol)
	w.zero(3)
	w.addr(s.Src)
	s.Limits.write(w)
	(&Usage{}).write(w)
	w.zero(12) // struct xfrm_stats
	w.u32(s.Seq)
	w.u32(s.ReqID)
	w.u16(s.family())
	w.u8(uint8(s.Mode))
	w.u8(s.Replay.field())
	flags := s.Flags
	if s.Replay.ESN {
		flags |= flagESN
	}
	w.u8(flags)
	w.zero(7)
}

// readInfo reads struct xfrm_usersa_info.
func (s *State) readInfo(r *reader) error {
	if err := s.Selector.read(r); err != nil {
		return fmt.Errorf("selector: %w", err)
	}
	dst := r.raw()
	s.SPI, s.Protocol = r.be32(), r.u8()
	r.take(3)
	src := r.raw()
	s.Limits.read(r)
	s.Usage.read(r)
	s.ReplayWindowDrops, s.Replayed, s.IntegrityFailed = r.u32(), r.u32(), r.u32()
	s.Seq, s.ReqID = r.u32(), r.u32()
	family := r.u16()
	s.Mode, s.Replay.Window = Mode(r.u8()), uint32(r.u8())
	flags := r.u8()
	s.Flags, s.Replay.ESN = flags&^flagESN, flags&flagESN != 0
	r.take(7)
	var err error
	if s.Dst, err = addrOf(family, dst); err == nil {
		s.Src, err = addrOf(family, src)
	}
	if err == nil {
		err = r.err()
	}
	return err
}

// writeAttributes writes them in the order of `ip xfrm state add`.
func (s *State) writeAttributes(w *writer) {
	s.writeAlgorithms(w)
	s.Encap.write(w)
	s.Offload.write(w)
	s.Replay.write(w)
	w.attr32(nl.XFRMA_SA_EXTRA_FLAGS, s.ExtraFlags)
	s.Mark.write(w)
	w.attr32(nl.XFRMA_IF_ID, s.IfID)
	w.attr32(nl.XFRMA_TFCPAD, s.TFCPad)
	if s.OutputMark.Value != 0 {
		w.attr32(nl.XFRMA_SET_MARK, s.OutputMark.Value)
		w.attr32(nl.XFRMA_SET_MARK_MASK, s.OutputMark.Mask)
	}
	if s.Direction != AnyDirection {
		w.attr(nl.XFRMA_SA_DIR, func() { w.u8(uint8(s.Direction)) })
	}
	if s.CPU != nil {
		w.attr(nl.XFRMA_SA_PCPU, func() { w.u32(*s.CPU) })
	}
	w.attr32(nl.XFRMA_NAT_KEEPALIVE_INTERVAL, s.NATKeepalive)
}

// readAttribute reads one; those that this package has no use for are passed over.
func (s *State) readAttribute(kind uint16, r *reader) (err error) {
	switch kind {
	case nl.XFRMA_ALG_CRYPT:
		s.Encryption, err = readAlgorithm(r, false)
	case nl.XFRMA_ALG_AUTH_TRUNC:
		s.Integrity, err = readAlgorithm(r, true)
	case nl.XFRMA_ALG_AEAD:
		s.AEAD, err = readAlgorithm(r, true)
	case nl.XFRMA_ENCAP:
		s.Encap = readEncap(r)
	case nl.XFRMA_OFFLOAD_DEV:
		s.Offload = readOffload(r)
	case nl.XFRMA_REPLAY_ESN_VAL:
		err = s.Replay.readExtended(r)
	case nl.XFRMA_REPLAY_VAL:
		s.Replay.readSmall(r)
	case nl.XFRMA_SA_EXTRA_FLAGS:
		s.ExtraFlags = r.u32()
	case nl.XFRMA_MARK:
		s.Mark.read(r)
	case nl.XFRMA_TFCPAD:
		s.TFCPad = r.u32()
	case nl.XFRMA_IF_ID:
		s.IfID = r.u32()
	case nl.XFRMA_SET_MARK:
		s.OutputMark.Value = r.u32()
	case nl.XFRMA_SET_MARK_MASK:
		s.OutputMark.Mask = r.u32()
	case nl.XFRMA_SA_DIR:
		s.Direction = Direction(r.u8())
	case nl.XFRMA_SA_PCPU:
		cpu := r.u32()
		s.CPU = &cpu
	case nl.XFRMA_NAT_KEEPALIVE_INTERVAL:
		s.NATKeepalive = r.u32()
	case nl.XFRMA_LASTUSED:
		s.LastUsed = r.u64()
	}
	return err
}

func (m *Mark) write(w *writer) {
	if m.Mask != 0 {
		w.attr(nl.XFRMA_MARK, func() {
			w.u32(m.Value)
			w.u32(m.Mask)
		})
	}
}

func (m *Mark) read(r *reader) { m.Value, m.Mask = r.u32(), r.u32() }

func choose(yes bool, bit uint8) uint8 {
	if yes {
		return bit
	}
	return 0
}

// readState reads what XFRM_MSG_NEWSA and XFRM_MSG_UPDSA carry.
func readState(r *reader) (s State, err error) {
	if err := s.readInfo(r); err != nil {
		return State{}, err
	}
	if err := r.attrs(s.readAttribute); err != nil {
		return State{}, err
	}
	return s, nil
}

// ack are the flags of a request that the kernel answers with an error or with nothing but "done".
const ack = unix.NLM_F_ACK
