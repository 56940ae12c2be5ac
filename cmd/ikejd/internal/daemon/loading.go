package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
)

// What swanctl --load-all brings over the control socket: connections and shared secrets. They stand beside those of our
// own file, which swanctl does not see and so does not unload.

// loaded is what came over the socket.
type loaded struct {
	connections []conf.Connection
	secrets     []string // names in the store
}

func (l *loaded) init() {}

// socketSecret keeps names of socket secrets apart from those of the file.
const socketSecret = "vici:"

func (d *Daemon) handleLoading() {
	s := d.server
	s.Handle(vici.CmdLoadConn, d.loadConn)
	s.Handle(vici.CmdUnloadConn, d.unloadConn)
	s.Handle(vici.CmdLoadShared, d.loadShared)
	s.Handle(vici.CmdUnloadShare, d.unloadShared)
	s.Handle(vici.CmdGetShared, d.getShared)
	s.Handle(vici.CmdClearCreds, d.clearCreds)
	s.Handle(vici.CmdGetKeys, emptyList(vici.KeyKeys))
	s.Handle(vici.CmdGetAuths, emptyList(vici.KeyAuths))
	s.Handle(vici.CmdGetPools, func(context.Context, *vici.Session, vici.Message) (vici.Message, error) { return vici.Message{}, nil })
}

func emptyList(key string) vici.Handler {
	return func(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
		var m vici.Message
		m.List(key)
		return m, nil
	}
}

// allConfig is the file's configuration with the socket's connections behind it; d.mu is held.
func (d *Daemon) allConfig() *conf.Config {
	all := *d.config
	all.Connections = slices.Clip(all.Connections)
	for _, c := range d.loaded.connections {
		all.Connections = slices.DeleteFunc(slices.Clone(all.Connections), func(have conf.Connection) bool { return have.Name == c.Name })
		all.Connections = append(all.Connections, c)
	}
	return &all
}

func (d *Daemon) connection(name string) (conf.Connection, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.allConfig().Connections {
		if c.Name == name {
			return c, true
		}
	}
	return conf.Connection{}, false
}

func (d *Daemon) getConns(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, c := range d.loaded.connections {
		names = append(names, c.Name)
	}
	var m vici.Message
	m.List(vici.KeyConns, names...)
	return m, nil
}

// loadConn takes connections; one that was there under its name is replaced, and its SAs stay.
func (d *Daemon) loadConn(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	for name, section := range request.Sections() {
		c, problems := conf.ReadConnection(conf.FromMessage(name, section))
		if conf.HasErrors(problems) {
			return vici.Message{}, configError(problems)
		}
		d.mu.Lock()
		d.loaded.connections = append(slices.DeleteFunc(slices.Clone(d.loaded.connections),
			func(have conf.Connection) bool { return have.Name == name }), c)
		d.mu.Unlock()
	}
	d.load()
	return success(), nil
}

func (d *Daemon) unloadConn(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	name := request.Get("name")
	d.mu.Lock()
	before := len(d.loaded.connections)
	d.loaded.connections = slices.DeleteFunc(slices.Clone(d.loaded.connections), func(have conf.Connection) bool { return have.Name == name })
	gone := len(d.loaded.connections) < before
	d.mu.Unlock()
	if !gone {
		return vici.Message{}, fmt.Errorf("no connection %q was loaded over this socket", name)
	}
	d.load()
	return success(), nil
}

// loadShared takes a pre-shared key with its owners.
func (d *Daemon) loadShared(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	if kind := request.Get("type"); kind != "ike" && kind != "IKE" {
		return vici.Message{}, fmt.Errorf("secrets of type %q are not supported; only ike", kind)
	}
	var owners []creds.ID
	for _, text := range request.Values("owners") {
		kind, data, err := creds.ParseID(text)
		if err != nil {
			return vici.Message{}, err
		}
		owners = append(owners, creds.ID{Type: kind, Data: data})
	}
	name := socketSecret + request.Get("id")
	d.secrets.Put(name, owners, []byte(request.Get("data")))
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.loaded.secrets, name) {
		d.loaded.secrets = append(d.loaded.secrets, name)
	}
	return success(), nil
}

func (d *Daemon) unloadShared(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	name := socketSecret + request.Get("id")
	d.secrets.Remove(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loaded.secrets = slices.DeleteFunc(slices.Clone(d.loaded.secrets), func(have string) bool { return have == name })
	return success(), nil
}

func (d *Daemon) getShared(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for _, name := range d.loaded.secrets {
		ids = append(ids, name[len(socketSecret):])
	}
	var m vici.Message
	m.List(vici.KeyKeys, ids...)
	return m, nil
}

func (d *Daemon) clearCreds(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range d.loaded.secrets {
		d.secrets.Remove(name)
	}
	d.loaded.secrets = nil
	return success(), nil
}
