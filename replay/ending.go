package replay

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// Unsent reports whether the message of that wish still waited for its turn when the SA ended.
func (sa *SA) Unsent(wish record.Wish) bool { return slices.Contains(sa.End.GetDropped(), wish) }

// Sends is how often the oldest request without an answer had gone out when the SA ended.
func (sa *SA) Sends() uint32 {
	if len(sa.End.GetUnfinished()) == 0 {
		return 0
	}
	return sa.End.GetUnfinished()[0].GetSends()
}

// Ending is how the SA ended in a few words: `cut off, Delete never sent`; of one that lives its phase.
func (sa *SA) Ending() string {
	if sa.End == nil {
		return text.Phase(sa.Phase)
	}
	return text.Cause(sa.Cause) + EndDetail(sa.Cause, sa.Unsent(record.Wish_WISH_DELETE_IKE), sa.Sends())
}

// EndDetail is what is said behind a cause after which the peer may not know: `, 18 sends`.
func EndDetail(cause record.Cause, unsent bool, sends uint32) string {
	switch cause {
	case record.Cause_CAUSE_CUT_OFF, record.Cause_CAUSE_UNACKNOWLEDGED, record.Cause_CAUSE_UNANSWERED:
		if unsent && cause != record.Cause_CAUSE_UNANSWERED {
			return ", Delete never sent"
		}
		return ", " + Count(uint64(sends), "send")
	}
	return ""
}

// Peer is the peer's address and port as last known, a dash while there is none.
func (sa *SA) Peer() string {
	a, ok := netip.AddrFromSlice(sa.Path.GetRemote())
	if !ok {
		return "-"
	}
	return netip.AddrPortFrom(a, uint16(sa.Path.GetRemotePort())).String()
}

// Installed is how many Child SAs the SA has had in the kernel.
func (sa *SA) Installed() int {
	n := 0
	for _, child := range sa.Children {
		if child.Installed {
			n++
		}
	}
	return n
}

// Exchange is what a request is for, by the wish that it serves: IKE_SA_INIT, liveness check, delete child12.
func Exchange(wish record.Wish, child uint64) string {
	switch wish {
	case record.Wish_WISH_INIT:
		return ike.IKE_SA_INIT.String()
	case record.Wish_WISH_AUTH:
		return ike.IKE_AUTH.String()
	case record.Wish_WISH_LIVENESS:
		return "liveness check"
	case record.Wish_WISH_DELETE_IKE:
		return "Delete of the IKE SA"
	case record.Wish_WISH_DELETE_CHILD:
		if child != 0 {
			return "delete " + text.Child(child)
		}
		return "delete a child"
	case record.Wish_WISH_REFUSE_AUTH:
		return "refusal of the peer's AUTH"
	}
	return text.Wish(wish)
}

// Count is a number with its noun: 1 send, 48 915 steps.
func Count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Grouped(n) + " " + noun + "s"
}

// Grouped is n with a space before every three digits from the right: 48 915.
func Grouped(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	return fmt.Sprintf("%s %03d", Grouped(n/1000), n%1000)
}
