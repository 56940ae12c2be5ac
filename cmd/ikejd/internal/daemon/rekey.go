package daemon

import (
	"context"
	"errors"
	"strconv"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
)

// rekey has the IKE SAs or Child SAs that the request selects replaced by new ones. Like strongSwan it does not wait for that.
func (d *Daemon) rekey(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	which, err := readFilter(request)
	if err != nil {
		return vici.Message{}, err
	}
	switch {
	case which.all():
		return vici.Message{}, errors.New("name what to rekey: ike, ike-id, child or child-id")
	case request.Get(vici.KeyReauth) == vici.Yes:
		return vici.Message{}, errors.New("reauthentication is not built; leave reauth out, and the SA is rekeyed")
	}
	chosen := d.chosen(which)
	for _, c := range chosen {
		d.engine.Post(&record.Event{IkeSa: c.sa, Because: operator(), Kind: &record.Event_RekeyAsked{RekeyAsked: &record.RekeyAsked{ChildSa: c.child}}})
	}
	var m vici.Message
	m.Set(vici.KeySuccess, vici.Yes)
	if len(chosen) == 0 {
		m.Set(vici.KeySuccess, vici.No)
		m.Set(vici.KeyErrmsg, "no matching SAs to rekey found")
	}
	m.Set(vici.KeyMatches, strconv.Itoa(len(chosen)))
	return m, nil
}
