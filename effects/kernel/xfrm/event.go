package xfrm

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
)

// Event is what the kernel says unasked: *Acquire, *Expired, *Mapping, *Migration or *Missed.
type Event interface{ event() }

func (*Acquire) event()   {}
func (*Expired) event()   {}
func (*Mapping) event()   {}
func (*Migration) event() {}
func (*Missed) event()    {}

// Missed says that the kernel had more to say than we took in time: look at all states again.
type Missed struct{}

// DecodeEvent reads a message of the kernel; nil where it is of a kind that is no Event.
func DecodeEvent(kind uint16, body []byte) (Event, error) {
	var event Event
	var err error
	switch kind {
	case nl.XFRM_MSG_ACQUIRE:
		var a Acquire
		a, err = DecodeAcquire(body)
		event = &a
	case nl.XFRM_MSG_EXPIRE:
		var e Expired
		e, err = DecodeExpired(body)
		event = &e
	case nl.XFRM_MSG_MAPPING:
		var m Mapping
		m, err = DecodeMapping(body)
		event = &m
	case nl.XFRM_MSG_MIGRATE:
		var m Migration
		m, err = DecodeMigration(body)
		event = &m
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("message 0x%x of the kernel: %w; its layout is not linux/xfrm.h's", kind, err)
	}
	return event, nil
}
