package xfrm

import "github.com/vishvananda/netlink/nl"

// Making a state (XFRM_MSG_NEWSA, XFRM_MSG_UPDSA).

// NewState makes a state. The kernel refuses with EEXIST where SPI, protocol and destination are taken, by a
// reservation too: that one UpdateState completes.
func NewState(s *State) Message { return s.message(nl.XFRM_MSG_NEWSA) }

// UpdateState completes what AllocateSPI reserved or an ACQUIRE began; the kernel refuses with ESRCH where there is
// nothing. Of a state that is complete it changes limits, encapsulation and marks, and says nothing of the rest.
func UpdateState(s *State) Message { return s.message(nl.XFRM_MSG_UPDSA) }

func (s *State) message(kind uint16) Message {
	// Room for all of it, so that the keys are written to one place only, which wipe overwrites.
	w := writer{make([]byte, 0, 1024)}
	s.writeInfo(&w)
	s.writeAttributes(&w)
	return Message{Kind: kind, Flags: ack, body: KeyOf(w.b)}
}

// DecodeState reads the body of an XFRM_MSG_NEWSA or XFRM_MSG_UPDSA, as the kernel answers GetState and DumpStates. The
// keys, which it gives to those who may ask, are copies.
func DecodeState(body []byte) (State, error) { return readState(&reader{b: body}) }
