package reducer

import "github.com/ikejd/ikejd/proto/record"

// Setting up an IKE SA because the operator or the configuration wants it. It begins with what a pure function may not
// choose: SPI, nonce and key exchange value, which the keyring makes.

// Stage is what an IKE SA that is being set up waits for.
//
//	initiator: WaitShare -> InitSent -> Agreeing -> MakingAuth -> AuthSent -> CheckingAuth -> (established)
//	           InitSent -> WaitShare again for another group
//	responder: InitAnswered -> CheckingAuth -> InstallingChild -> (established)
type Stage uint8

const (
	WaitShare Stage = iota + 1
	InitSent
	Agreeing
	MakingAuth
	AuthSent
	CheckingAuth
	InitAnswered
	InstallingChild
)

// initiateAsked sets up an IKE SA of a connection with one of its children. It also answers Locate: because is then an
// edge to it.
func (t *step) initiateAsked(ev *record.InitiateAsked) {
	ticket := ev.GetTicket()
	connection, known := t.connection(ev.GetConnection())
	child, hasChild := connection.child(ev.GetChild())
	switch {
	case t.s.ending != nil:
		t.answer(0, ticket, "shutting down")
		return
	case !known:
		t.answer(0, ticket, "no connection "+quoted(ev.GetConnection())+" in the configuration")
		return
	case !hasChild && ev.GetChild() != "":
		t.answer(0, ticket, "connection "+connection.Name+" has no child "+quoted(ev.GetChild()))
		return
	case ev.GetFailure() != "":
		t.answer(0, ticket, ev.GetFailure())
		if t.because.Edge == EdgeAnswers || t.keptUp(connection.Name) {
			t.tryLater(connection.Name, ev.GetChild())
		}
		return
	}
	for _, number := range ev.GetOthers() {
		if sa, ok := t.sa(number); ok && sa.Phase <= Established && sa.Connection == connection.Name {
			t.alreadyThere(sa, child.Name, ticket)
			return
		}
	}
	wanted := t.because
	if wanted.Edge == EdgeRoot {
		wanted = t.decided()
	}
	sa := IKESA{Number: t.s.nextIKE, Connection: connection.Name, Initiator: true, Decided: wanted,
		Path: pathOf(ev.GetPath()), LocalID: connection.ownIdentity(pathOf(ev.GetPath())), RemoteID: connection.RemoteID,
		Window: Window{PeerSize: 1}, Created: t.now, CreatedStep: t.s.step, Ticket: ticket}
	t.s.nextIKE++
	sa.SetUp = &SetUp{Stage: WaitShare, Child: child.Name, Group: connection.Proposals[0].Groups[0], Wanted: wanted,
		FirstContact: len(ev.GetOthers()) == 0}
	t.changePhase(&sa, HalfOpen)
	t.askShare(&sa)
	t.put(sa)
}

// alreadyThere answers an operator who wants what is there or under way.
func (t *step) alreadyThere(sa IKESA, child string, ticket uint64) {
	if sa.SetUp != nil {
		t.answer(sa.Number, ticket, ikeName(sa.Number)+" of this connection is being set up")
		return
	}
	for _, c := range sa.Children {
		switch {
		case c.Name != child:
		case c.Phase == Installed:
			t.answer(sa.Number, ticket, "")
			return
		default:
			t.answer(sa.Number, ticket, childName(c.Number)+" of this name is "+c.Phase.String())
			return
		}
	}
	c, _ := t.connection(sa.Connection)
	config, ok := c.child(child)
	if !ok || sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) {
		t.answer(sa.Number, ticket, ikeName(sa.Number)+" is "+sa.Phase.String()+", and no child is made in it now")
		return
	}
	t.wantChild(&sa, config, 0, ticket)
	t.put(sa)
}

func (t *step) askShare(sa *IKESA) {
	sa.SetUp.Asked = t.order(Effect{Kind: EffectMakeKeyShare, SA: sa.Number, Group: sa.SetUp.Group})
}

// answers reports whether this event completes the effect that the set-up waits for.
func (t *step) answers(asked Ref) bool {
	return t.because.Edge == EdgeAnswers && t.because.Step == asked.Step && t.because.Index == asked.Index
}

// settingUp is the SA of this completion event, if it is still waiting for it.
func (t *step) settingUp(stage Stage) (IKESA, bool) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok || sa.SetUp == nil || sa.SetUp.Stage != stage || !t.answers(sa.SetUp.Asked) {
		t.drop("nobody waits for this any more")
		return IKESA{}, false
	}
	setUp := *sa.SetUp
	sa.SetUp = &setUp
	return sa, true
}
