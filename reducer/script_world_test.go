package reducer

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Commands of operators, of our own keyring and kernel, of time, and of a crash.

// initiate: the operator wants a connection up, with one child. After `locate` it is the engine that answers.
//
//	initiate gw child=net ticket=7
func (s *script) initiate(words []string, _ string) error {
	a := argsOf(words)
	asked := &record.InitiateAsked{Connection: "gw", Child: "net", Ticket: a.number("ticket"), Others: a.numbers("others", "ike"),
		Path: PathRecord(Path{usualLocal, usualRemote}), Failure: a.spaced("failed")}
	if len(a.words) > 0 {
		asked.Connection = a.words[0]
	}
	if child, ok := a.options["child"]; ok {
		asked.Child = child
	}
	ev := &record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_InitiateAsked{InitiateAsked: asked}}
	if located, ok := s.n.answered(EffectLocate, 0); ok {
		ev = located.completion(ev)
	}
	s.take(ev)
	return nil
}

// close: the operator wants an IKE SA or a child closed.
//
//	close ike1 ticket=7        close ike1 child1
func (s *script) close(words []string, _ string) error {
	a := argsOf(words)
	s.take(&record.Event{IkeSa: a.sa(), Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_CloseAsked{
		CloseAsked: &record.CloseAsked{ChildSa: a.named("child"), Ticket: a.number("ticket")}}})
	return nil
}

// rekey: the operator wants an IKE SA or a child rekeyed.
//
//	rekey ike1 ticket=7        rekey ike1 child1
func (s *script) rekey(words []string, _ string) error {
	a := argsOf(words)
	s.take(&record.Event{IkeSa: a.sa(), Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_RekeyAsked{
		RekeyAsked: &record.RekeyAsked{ChildSa: a.named("child"), Ticket: a.number("ticket")}}})
	return nil
}

// shutdown: SIGTERM.
//
//	shutdown budget=10s        shutdown keep
func (s *script) shutdown(words []string, _ string) error {
	a := argsOf(words)
	s.take(&record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{
		Signal: "SIGTERM", Budget: uint64(a.duration("budget", 30*second)), Keep: a.has("keep")}}})
	return nil
}

// completion gives the answer to the oldest ask of that kind; with late, to one that was answered or given up.
func (s *script) completion(kind EffectKind, a args, ev *record.Event) error {
	asked, ok := s.n.answered(kind, a.sa())
	if !ok {
		return fmt.Errorf("nobody asked for that")
	}
	s.take(asked.completion(ev))
	return nil
}

// share-made: the keyring has SPI, nonce and key exchange value.
//
//	share-made ike1        share-made ike1 failed=no_entropy
func (s *script) shareMade(words []string, _ string) error {
	a := argsOf(words)
	made := &record.KeyShareMade{Failure: a.spaced("failed")}
	for _, asked := range s.n.asks {
		if made.Failure == "" && asked.effect.Kind == EffectMakeKeyShare && (a.sa() == 0 || asked.effect.SA == a.sa()) {
			made.Fresh = s.n.fresh(asked.effect.Group)
			break
		}
	}
	return s.completion(EffectMakeKeyShare, a, &record.Event{Kind: &record.Event_KeyShareMade{KeyShareMade: made}})
}

// agreed: the keyring has the keys of the SA, or refuses the peer's value.
//
//	agreed ike1        agreed ike1 failed=low_order_point
func (s *script) agreed(words []string, _ string) error {
	a := argsOf(words)
	return s.completion(EffectAgree, a, &record.Event{Kind: &record.Event_Agreed{Agreed: &record.Agreed{Failure: a.spaced("failed")}}})
}

// auth-made: our AUTH; with met there is another IKE SA with the peer, or one that may be.
func (s *script) authMade(words []string, _ string) error {
	a := argsOf(words)
	made := &record.AuthMade{Method: uint32(ike.AuthSharedKey), Auth: []byte("our auth"), Failure: a.spaced("failed"), Met: a.has("met")}
	if made.Failure != "" {
		made.Auth, made.Method = nil, 0
	}
	return s.completion(EffectMakeAuth, a, &record.Event{Kind: &record.Event_AuthMade{AuthMade: made}})
}

// authenticated: the verdict on the peer's AUTH, as responder with our own.
//
//	authenticated ike1        authenticated ike1 bad=wrong_key        authenticated ike2 others=ike1
func (s *script) authenticated(words []string, _ string) error {
	a := argsOf(words)
	verdict := &record.Authenticated{Good: a.options["bad"] == "", Reason: a.spaced("bad"), Others: a.numbers("others", "ike")}
	for _, asked := range s.n.asks {
		if asked.effect.Kind == EffectCheckAuth && !asked.effect.Initiator && verdict.Good {
			verdict.Method, verdict.Auth = uint32(ike.AuthSharedKey), []byte("our auth")
		}
	}
	return s.completion(EffectCheckAuth, a, &record.Event{Kind: &record.Event_Authenticated{Authenticated: verdict}})
}

// spi-allocated: the kernel's SPI.
func (s *script) spiAllocated(words []string, _ string) error {
	a := argsOf(words)
	for _, asked := range s.n.asks {
		if asked.effect.Kind == EffectAllocateSPI && (a.sa() == 0 || asked.effect.SA == a.sa()) {
			allocated := s.n.allocated(&asked.effect, a.spaced("failed"))
			return s.completion(EffectAllocateSPI, a, &record.Event{Kind: &record.Event_SpiAllocated{SpiAllocated: allocated}})
		}
	}
	return fmt.Errorf("nobody asked for that")
}

// allocated is what the kernel says of an AllocateSPI.
func (n *node) allocated(e *Effect, failure string) *record.SPIAllocated {
	done := &record.SPIAllocated{ChildSa: e.Child, Failure: failure, Path: PathRecord(Path{usualLocal, usualRemote})}
	if failure == "" {
		done.Spi = n.espSPI()
	}
	return done
}

// child-installed: the kernel has both halves, or refuses.
//
//	child-installed ike1        child-installed ike1 refused=no_such_cipher
func (s *script) childInstalled(words []string, _ string) error {
	a := argsOf(words)
	for _, asked := range s.n.asks {
		if e := asked.effect; e.Kind == EffectInstallChild && (a.sa() == 0 || e.SA == a.sa()) {
			return s.completion(EffectInstallChild, a, s.n.installed(&e, a.spaced("refused")))
		}
	}
	return fmt.Errorf("nobody asked for that")
}

// installed is what the kernel says of an InstallChild.
func (n *node) installed(e *Effect, refusal string) *record.Event {
	done := &record.ChildInstalled{ChildSa: e.Child, InboundSpi: e.Install.InboundSPI, OutboundSpi: e.Install.OutboundSPI,
		Path: PathRecord(e.Path), Refusal: refusal}
	if done.InboundSpi == 0 && refusal == "" {
		done.InboundSpi = n.espSPI()
	}
	return &record.Event{Kind: &record.Event_ChildInstalled{ChildInstalled: done}}
}

// child-removed: the kernel has removed what it was told to, or says why not; with held it still has it.
//
//	child-removed        child-removed refused=no_such_state        child-removed refused=not_permitted held
func (s *script) childRemoved(words []string, _ string) error {
	a := argsOf(words)
	for _, asked := range s.n.asks {
		if asked.effect.Kind == EffectRemoveChild {
			return s.completion(EffectRemoveChild, a, &record.Event{Kind: &record.Event_ChildRemoved{
				ChildRemoved: &record.ChildRemoved{ChildSa: asked.effect.Child, Refusal: a.spaced("refused"), Held: a.has("held")}}})
		}
	}
	return fmt.Errorf("nobody asked for that")
}

// fire: a timer is due. The clock goes on to its deadline.
//
//	fire ike1 retransmit        fire ike1 retransmit times=11        fire shutdown        fire next
func (s *script) fire(words []string, _ string) error {
	a := argsOf(words)
	for range max(a.number("times"), 1) {
		key, _, found := s.n.nextTimer()
		if !a.has("next") {
			found = false
			for k := range s.n.timers {
				if k.sa == a.sa() && a.has(k.kind.String()) {
					key, found = k, true
				}
			}
		}
		if !found {
			return fmt.Errorf("no such timer is armed")
		}
		s.take(s.n.fired(key))
	}
	return nil
}

// advance moves the clock; timers that come due meanwhile are not fired.
func (s *script) advance(words []string, _ string) error {
	s.n.now += argsOf([]string{"by=" + words[0]}).duration("by", 0)
	return nil
}

// restart: the daemon dies and comes back with what the journal had.
//
//	restart        restart without-keys=ike1        restart diverged=ike2        restart sockets=192.0.2.1:1500,192.0.2.1:4501/nat
func (s *script) restart(words []string, _ string) error {
	a := argsOf(words)
	effects, changes := s.n.restart(&record.Recovered{WithoutKeys: a.numbers("without-keys", "ike"), Diverged: a.numbers("diverged", "ike"),
		Sockets: socketsOf(a.options["sockets"])})
	s.print(effects, changes)
	return nil
}

// left says what there is left of everything.
func (s *script) left([]string, string) error {
	var all []string
	s.n.s.EachSA(0, func(sa *IKESA) bool {
		all = append(all, fmt.Sprintf("ike%d %v", sa.Number, sa.Phase))
		return true
	})
	for range s.n.timers {
		all = append(all, "a timer")
	}
	for range s.n.keys {
		all = append(all, "keys")
	}
	if len(all) == 0 {
		all = []string{"nothing"}
	}
	fmt.Fprintln(&s.out, strings.Join(all, ", "))
	return nil
}

// socketsOf reads 192.0.2.1:1500,192.0.2.1:4501/nat.
func socketsOf(list string) []*record.Socket {
	var sockets []*record.Socket
	for word := range strings.SplitSeq(list, ",") {
		bound, nat := strings.CutSuffix(word, "/nat")
		if bound != "" {
			at := netip.MustParseAddrPort(bound)
			sockets = append(sockets, &record.Socket{Address: at.Addr().AsSlice(), Port: uint32(at.Port()), NatPort: nat})
		}
	}
	return sockets
}
