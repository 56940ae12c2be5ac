package cli

import (
	"context"
	"errors"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/live"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/replay"
)

// dialDaemon reads the journal of the daemon that listens on socket.
func dialDaemon(ctx context.Context, socket string) (replay.Source, error) {
	src, err := live.Open(ctx, socket)
	switch {
	case errors.Is(err, vici.ErrNoDaemon):
		return nil, errNoDaemon
	case err != nil:
		return nil, err
	}
	return src, nil
}
