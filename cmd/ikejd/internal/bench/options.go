package bench

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/proto/ike"
)

// Options say what load to make.
type Options struct {
	Peer     netip.AddrPort // the responder's IKE port
	NATPort  uint16         // its port behind NATs; used when it finds a NAT, or pretends to
	Local    netip.Addr     // ours; invalid is any
	LocalID  string         // as in swanctl.conf; # stands for the number of the SA
	RemoteID string         // expected of the responder; empty: whatever it is
	PSK      []byte

	SAs         int           // to set up, in all
	Outstanding int           // set-ups, then deletions, that wait for an answer at a time
	Rate        float64       // set-ups a second, then deletions; 0: as fast as answers come
	HalfOpen    bool          // IKE_SA_INIT only: half-open SAs, which the responder forgets by itself
	Hold        time.Duration // between the last set-up and the first Delete
	Probe       time.Duration // from one liveness check of an SA that is held to its next; 0: none
	Keep        bool          // no Deletes
	FirstWait   time.Duration // before a request is sent again; each further wait is twice as long
	Sends       int           // of a request, before its SA counts as failed
	Watch       int           // process id of the responder, on this host: its CPU and memory are read too; 0: none

	Tell      func(Progress) // how far it has come, every TellEvery; nil: nobody asks
	TellEvery time.Duration
}

// Progress is how far a phase has come.
type Progress struct {
	Phase   string // setting up, holding, deleting
	For     time.Duration
	Asked   int // in all; while SAs are held, probes so far
	Done    int
	Failed  int
	Waiting int // for an answer
	Up      int // SAs
}

// Check says what cannot be meant.
func (o *Options) Check() error {
	switch {
	case !o.Peer.IsValid() || o.Peer.Port() == 0:
		return errors.New("the responder's address is missing; try: 192.0.2.1 or 192.0.2.1:500")
	case o.SAs < 1:
		return fmt.Errorf("%d SAs make no load; ask for at least 1", o.SAs)
	case o.Outstanding < 1:
		return fmt.Errorf("%d outstanding never begins; ask for at least 1", o.Outstanding)
	case o.Rate < 0 || math.IsNaN(o.Rate) || math.IsInf(o.Rate, 0):
		return fmt.Errorf("%v a second is no rate; leave it out to go as fast as answers come", o.Rate)
	case o.Probe < 0 || o.Hold < 0:
		return errors.New("a time to hold, or between probes, is not negative")
	case o.Probe > 0 && o.Hold == 0:
		return errors.New("SAs that are not held cannot be probed; say how long with --hold")
	case o.Sends < 1 || o.FirstWait <= 0:
		return errors.New("a request must be sent at least once, and waited for")
	case len(o.PSK) == 0 && !o.HalfOpen:
		return errors.New("the pre-shared key is empty; put it in the file of --psk-file")
	}
	for _, id := range []string{o.LocalID, o.RemoteID} {
		if _, _, err := creds.ParseID(id); err != nil {
			return err
		}
	}
	return nil
}

// localID is the identity of SA n: a responder that keeps one SA an identity keeps them all where they differ.
func (o *Options) localID(n int) ike.Identification {
	kind, data, _ := creds.ParseID(strings.ReplaceAll(o.LocalID, "#", strconv.Itoa(n)))
	return ike.Identification{Initiator: true, Type: ike.IDType(kind), Data: data}
}

// remoteID is the identity asked of the responder; false: none in particular.
func (o *Options) remoteID() (ike.Identification, bool) {
	kind, data, _ := creds.ParseID(o.RemoteID)
	return ike.Identification{Type: ike.IDType(kind), Data: data}, kind != 0
}
