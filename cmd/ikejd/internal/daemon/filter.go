package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/reducer"
)

// filter is what ike, ike-id, child and child-id of a request select; all that are given have to fit.
type filter struct {
	ike, child     string
	ikeID, childID uint64
}

func readFilter(request vici.Message) (filter, error) {
	f := filter{ike: request.Get(vici.KeyIKE), child: request.Get(vici.KeyChild)}
	var err1, err2 error
	f.ikeID, err1 = request.Number(vici.KeyIKEID)
	f.childID, err2 = request.Number(vici.KeyChildID)
	return f, errors.Join(err1, err2)
}

func (f filter) all() bool        { return f == filter{} }
func (f filter) ofChildren() bool { return f.child != "" || f.childID != 0 }

func (f filter) takesSA(sa *reducer.IKESA) bool {
	return (f.ike == "" || f.ike == sa.Connection) && (f.ikeID == 0 || f.ikeID == sa.Number)
}

func (f filter) takesChild(c *reducer.ChildSA) bool {
	return (f.child == "" || f.child == c.Name) && (f.childID == 0 || f.childID == c.Number)
}

// patience is how long a command waits: 0 until it is done, negative not at all.
type patience struct{ limit time.Duration }

func readPatience(request vici.Message) (patience, error) {
	text := request.Get(vici.KeyTimeout)
	if text == "" {
		return patience{}, nil
	}
	ms, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return patience{}, fmt.Errorf("timeout %q is not a number of milliseconds", text)
	}
	return patience{time.Duration(ms) * time.Millisecond}, nil
}

func (p patience) none() bool { return p.limit < 0 }

func (p patience) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.limit > 0 {
		return context.WithTimeout(ctx, p.limit)
	}
	return context.WithCancel(ctx)
}
