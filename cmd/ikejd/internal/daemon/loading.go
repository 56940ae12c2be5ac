package daemon

import (
	"context"
	"fmt"
	"strings"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// What swanctl --load-all brings over the control socket: connections here, secrets in secrets.go. They stand beside those
// of our own file, which get-* does not name, so that swanctl does not unload them.

func (d *Daemon) handleLoading() {
	s := d.server
	s.Handle(vici.CmdGetConns, d.getConns)
	s.Handle(vici.CmdLoadConn, d.loadConn)
	s.Handle(vici.CmdUnloadConn, d.unloadConn)
	s.Handle(vici.CmdLoadShared, d.loadShared)
	s.Handle(vici.CmdUnloadShare, d.unloadShared)
	s.Handle(vici.CmdGetShared, d.getShared)
	s.Handle(vici.CmdClearCreds, d.clearCreds)
	// swanctl asks for these whatever its file has; there are none.
	s.Handle(vici.CmdGetKeys, emptyList(vici.KeyKeys))
	s.Handle(vici.CmdGetAuths, emptyList(vici.KeyAuths))
	s.Handle(vici.CmdGetPools, func(context.Context, *vici.Session, vici.Message) (vici.Message, error) { return vici.Message{}, nil })
}

func emptyList(key string) vici.Handler {
	return func(context.Context, *vici.Session, vici.Message) (vici.Message, error) { return listed(key, nil), nil }
}

func listed(key string, values []string) vici.Message {
	var m vici.Message
	m.List(key, values...)
	return m
}

func (d *Daemon) getConns(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	return listed(vici.KeyConns, d.config.loadedNames()), nil
}

// loadConn takes connections; one that was there under its name is replaced, and its SAs stay. It is in force a moment
// later (apply.go).
func (d *Daemon) loadConn(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	var read []conf.Connection
	for name, section := range request.Sections() {
		c, problems := conf.ReadConnection(conf.FromMessage(name, section))
		d.warn(problems)
		if conf.HasErrors(problems) {
			return vici.Message{}, oneLine(problems)
		}
		read = append(read, c)
	}
	for _, c := range read {
		d.config.load(c)
	}
	return success(), nil
}

// oneLine is configError for swanctl, which prints what it is told behind a colon.
func oneLine(problems []conf.Problem) error {
	return fmt.Errorf("%s", strings.ReplaceAll(configError(problems).Error(), "\n", "; "))
}

func (d *Daemon) unloadConn(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	name := request.Get("name")
	if !d.config.unload(name) {
		return vici.Message{}, fmt.Errorf("no connection %q was loaded over this socket; those of %s are removed there", name, d.options.Config)
	}
	return success(), nil
}
