package xfrm

import "github.com/vishvananda/netlink/nl"

// A limit was reached (XFRM_MSG_EXPIRE, struct xfrm_user_expire).

// Expired is a state that reached a soft limit and lives on, or a hard one and is gone.
type Expired struct {
	State State // without algorithms
	Hard  bool
}

// ExpireState makes a state's limit be reached now, hard or soft: all who listen get the event, and after a hard one the
// state is gone. The kernel refuses with ENOENT where there is none, and with EINVAL where it is not complete.
func ExpireState(s *State, hard bool) Message {
	var w writer
	s.writeInfo(&w)
	w.u8(choose(hard, 1))
	w.zero(7)
	s.Mark.write(&w)
	return Message{Kind: nl.XFRM_MSG_EXPIRE, Flags: ack, body: KeyOf(w.b)}
}

// DecodeExpired reads the body of an XFRM_MSG_EXPIRE.
func DecodeExpired(body []byte) (e Expired, err error) {
	r := &reader{b: body}
	if err := e.State.readInfo(r); err != nil {
		return Expired{}, err
	}
	e.Hard = r.u8() != 0
	r.take(7)
	if err := r.attrs(e.State.readAttribute); err != nil {
		return Expired{}, err
	}
	return e, nil
}
