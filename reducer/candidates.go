package reducer

import "github.com/ikejd/ikejd/proto/ike"

// Several responses to one IKE_SA_INIT request (RFC 7296, section 2.4): anybody may answer it, and the first answer need not be
// the peer's. The others are kept, and tried one after the other with keys of their own, until an IKE_AUTH response proves its
// sender (PROTOCOL.md, W-21).

const (
	mostCandidates = 3 // with the one that is tried, and those that came to nothing
	// candidateSends is how often IKE_AUTH is sent to a responder that does not answer, while another one waits: the right one
	// does not hold its half of the SA for ever. Ours.
	candidateSends = 4
)

// candidate is a well-formed IKE_SA_INIT response, and what it makes of the SA.
type candidate struct {
	SPIr       uint64
	Response   []byte
	Nr         []byte
	PeerPublic []byte
	Suite      Suite
	Path       Path
	LocalNAT   bool
	RemoteNAT  bool
}

// TakesInit reports whether a response from that responder is one to try: the first, or a further one while none has proved
// itself. One whose SPI is known is none: with its nonce and public value copied it would make the same keys.
func (sa *IKESA) TakesInit(spir uint64) bool {
	s := sa.SetUp
	switch {
	case !sa.Initiator || s == nil:
		return false
	case s.Stage == InitSent:
		return true
	case s.Stage < Agreeing || s.Stage > AuthSent || s.Stage == AuthSent && s.Refusal != 0 || sa.closing():
		return false
	}
	known := sa.SPIr == spir
	for _, c := range s.Candidates {
		known = known || c.SPIr == spir
	}
	for _, tried := range s.TriedSPIs {
		known = known || tried == spir
	}
	return !known && 1+len(s.Candidates)+len(s.TriedSPIs) < mostCandidates
}

// keepCandidate keeps a further response for later.
func (t *step) keepCandidate(sa IKESA, h ike.Header, payloads *ike.Payloads) {
	_, failed := firstError(payloads)
	_, cookie := notified(payloads, ike.NotifyCookie)
	if failed || cookie {
		t.drop("ike_sa_init was answered before")
		return
	}
	if c, problem := t.readChoice(sa, h, payloads); problem != "" {
		t.drop(problem)
	} else {
		sa.SetUp.Candidates = with(sa.SetUp.Candidates, c)
		t.put(sa)
	}
}

// take makes sa the one that this response speaks of.
func (c candidate) take(sa *IKESA) {
	sa.Suite, sa.SPIr, sa.Path, sa.LocalNAT, sa.RemoteNAT = c.Suite, c.SPIr, c.Path, c.LocalNAT, c.RemoteNAT
	sa.SetUp.Nr, sa.SetUp.PeerPublic, sa.SetUp.Response = c.Nr, c.PeerPublic, c.Response
}

// tryAnother goes on with the next response, where there is one: other keys, and the ids of IKE_AUTH from 1 again. The one
// before holds at most a half-open SA, which it forgets by itself.
func (t *step) tryAnother(sa IKESA) bool {
	if sa.SetUp == nil || len(sa.SetUp.Candidates) == 0 || sa.closing() || t.shuttingDown() {
		return false
	}
	setUp := *sa.SetUp
	sa.SetUp = &setUp
	next := setUp.Candidates[0]
	setUp.TriedSPIs = with(setUp.TriedSPIs, sa.SPIr)
	setUp.Candidates = without(setUp.Candidates, 0)
	setUp.Auth, setUp.Failure, setUp.Offer = nil, "", nil
	c, _ := t.connection(sa.Connection)
	sa.RemoteID = c.RemoteID
	if setUp.Stage != Agreeing { // then IKE_SA_INIT is in flight still, for a better answer
		t.forgetRequests(&sa)
		sa.Window.NextOut = 1
	}
	next.take(&sa)
	t.agree(&sa, Agreeing)
	t.put(sa)
	return true
}

func (s *SetUp) candidates() string {
	if s == nil {
		return "-"
	}
	return joined(s.Candidates, func(c candidate) string { return hexDigits(c.SPIr, 16) })
}
