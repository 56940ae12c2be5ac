package reducer

// Phase is how far an IKE SA is in its life (PROTOCOL.md, section D).
//
//	None        - (initiate, serveInit)             -> HalfOpen
//	HalfOpen    - (establish)                       -> Established
//	HalfOpen    - (discard)                         -> Discarded
//	HalfOpen    - (refuse)                          -> Lingering   (an authentic answer was sent, it may be asked for again)
//	Established - (buildDeleteIKE)                  -> Deleting
//	Established - (serveDeleteIKE)                  -> Lingering
//	Established - (discard)                         -> Discarded   (unanswered, superseded, not recovered, cut off)
//	Deleting    - (ikeDeleteAnswered, giveUp)       -> Discarded
//	Deleting    - (serveDeleteIKE)                  -> Lingering
//	Lingering   - (lingerOver)                      -> Discarded
//	None        - (successor)                       -> Established
//	Established - (moveTo)                          -> Rekeyed     (its successor has the children)
//	Rekeyed     - (buildDeleteIKE)                  -> Deleting
//	Rekeyed     - (serveDeleteIKE)                  -> Lingering
//	Rekeyed     - (discard)                         -> Discarded
type Phase uint8

const (
	NoPhase Phase = iota
	HalfOpen
	Established
	Deleting
	Lingering
	Discarded
	Rekeyed
)

func (p Phase) String() string {
	return [...]string{"-", "HalfOpen", "Established", "Deleting", "Lingering", "Discarded", "Rekeyed"}[p]
}

// ChildPhase is how far a Child SA is.
//
//	None       - (offerChild, firstChildAsked, serveChild) -> Installing
//	Installing - (childInstalled)                  -> Installed
//	Installing - (buildDeleteChild)                -> Deleting   (what the peer or the kernel made of it is no use)
//	Installing - (failChild, removeChild)          -> Removed
//	Installed  - (buildDeleteChild)                -> Deleting
//	Installed  - (removeChild)                     -> Removed
//	Deleting   - (removeChild)                     -> Removed
//	Installed  - (replaceChild)                    -> Rekeyed    (one end will delete it)
//	Rekeyed    - (restoreReplaced)                 -> Installed  (what had its place is gone)
//	Rekeyed    - (buildDeleteChild)                -> Deleting
//	Rekeyed    - (removeChild)                     -> Removed
type ChildPhase uint8

const (
	NoChild ChildPhase = iota
	Installing
	Installed
	ChildDeleting
	Removed
	ChildRekeyed
)

func (p ChildPhase) String() string {
	return [...]string{"-", "Installing", "Installed", "Deleting", "Removed", "Rekeyed"}[p]
}

// Cause is why an IKE SA ended, in the words of `ikejd why`.
type Cause uint8

const (
	NoCause Cause = iota
	Acknowledged
	Unacknowledged
	CutOff
	Unanswered
	PeerAsked
	BothAtOnce
	Replaced
	Superseded
	Refused
	Damaged
	NotRecovered
)

func (c Cause) String() string {
	return [...]string{"-", "acknowledged", "unacknowledged", "cut off", "unanswered", "peer asked", "both at once",
		"replaced", "superseded", "refused", "damaged", "not recovered"}[c]
}

// Wish is a message some rule wants to send; the window builds it when its turn has come.
type Wish uint8

const (
	NoWish Wish = iota
	wishInit
	wishAuth
	wishLiveness
	wishDeleteIKE
	wishDeleteChild
	wishRefuseAuth
	wishCreateChild
	wishRekeyChild
	wishRekeyIKE
)

func (w Wish) String() string {
	return [...]string{"-", "init", "auth", "liveness", "delete-ike", "delete-child", "refuse-auth",
		"create-child", "rekey-child", "rekey-ike"}[w]
}

// TimerKind is what a timer is for; the numbers are record.Timer's.
type TimerKind uint8

const (
	noTimer TimerKind = iota
	retransmitTimer
	halfOpenTimer
	livenessTimer
	discardTimer
	lingerTimer
	refusalTimer
	shutdownTimer
	retryTimer
	rekeyTimer
	lifeTimer
)

func (k TimerKind) String() string {
	return [...]string{"-", "retransmit", "half-open", "liveness", "discard", "linger", "refusal", "shutdown", "retry", "rekey", "life"}[k]
}
