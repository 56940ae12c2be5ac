package reducer

import (
	"bytes"
	"strconv"

	"github.com/ikejd/ikejd/proto/ike"
)

// SetUp is what an IKE SA holds until IKE_AUTH is complete, and not a moment longer.
type SetUp struct {
	Stage             Stage
	Asked             Ref    // the effect whose completion this stage waits for
	Request, Response []byte // IKE_SA_INIT, whole: AUTH covers them (section 2.15)
	Ni, Nr            []byte
	Public            []byte // ours
	PeerPublic        []byte
	Group             ike.Group
	Tried             []ike.Group // groups that the responder refused
	Cookie            []byte
	Rounds            uint8 // COOKIE and INVALID_KE_PAYLOAD so far (PROTOCOL.md, K-09)
	Refusal           ike.NotifyType
	Child             string // the child wanted, as initiator
	Auth              []byte // ours
	AuthMethod        ike.AuthMethod
	PeerAuth          []byte
	PeerMethod        ike.AuthMethod
	Failure           string // why this cannot succeed, for us alone
	Offer             []byte // the peer's payloads about the child, until its AUTH is checked
	OfferFirst        ike.PayloadType
	FirstContact      bool           // we hold no other SA between these identities
	PeersFirst        bool           // the peer says so of itself (INITIAL_CONTACT)
	Met               []uint64       // as responder, our own set-ups with that peer: one may be up before this one is
	ChildRefusal      ike.NotifyType // what our answer says of the child that was offered
	Proposal          uint8          // number of the peer's proposal we chose
	Wanted            Because
	Candidates        []candidate // further responses to IKE_SA_INIT (PROTOCOL.md, W-21)
	TriedSPIs         []uint64    // of responders that came to nothing
}

// failSetUp ends a set-up that cannot succeed, on the side that wanted it: nothing is sent.
func (t *step) failSetUp(sa IKESA, cause Cause, detail string) {
	if sa.SetUp != nil && sa.SetUp.Refusal != 0 && cause == Unanswered {
		cause, detail = Refused, "the peer answered "+sa.SetUp.Refusal.String()
	}
	connection, child := sa.Connection, ""
	if sa.SetUp != nil {
		child = sa.SetUp.Child
	}
	if sa.Cause == NoCause {
		sa.Decided = t.decided()
	}
	t.discard(sa, cause, detail)
	if sa.Initiator && !sa.closing() && t.keptUp(connection) {
		t.tryLater(connection, child)
	}
}

// establish makes sa Established: both ends have proved who they are.
func (t *step) establish(sa *IKESA) {
	if !sa.Initiator {
		t.s.halfOpen--
		t.cancelTimer(sa, halfOpenTimer)
	}
	t.dropWait(sa.Connection)
	sa.Decided = t.decided()
	sa.Established, sa.LastHeard = t.now, t.now
	c, _ := t.connection(sa.Connection)
	if c.Unique >= uniqueKeep {
		sa.LowestNonce = bytes.Clone(sa.lowestNonce()) // a part of a datagram would keep all of it
	}
	t.changePhase(sa, Established)
	t.armLife(sa)
}

func quoted(s string) string { return strconv.Quote(s) }
