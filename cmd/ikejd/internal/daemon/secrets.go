package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
)

// socketSecret keeps the names of secrets that came over the socket apart from those of the file.
const socketSecret = "vici:"

// putFileSecrets makes the store hold the secrets of a file and none of the file before.
func (d *Daemon) putFileSecrets(file *conf.Config) {
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.fileSecrets
	c.fileSecrets = nil
	for _, secret := range file.Secrets {
		d.secrets.Put(secret.Name, secret.Owners, secret.Key)
		c.fileSecrets = append(c.fileSecrets, secret.Name)
	}
	for _, name := range before {
		if !slices.Contains(c.fileSecrets, name) {
			d.secrets.Remove(name)
		}
	}
}

// loadShared takes a pre-shared key with its owners.
func (d *Daemon) loadShared(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	if kind := request.Get("type"); !strings.EqualFold(kind, "ike") {
		return vici.Message{}, fmt.Errorf("secrets of type %q are of no use to this daemon, which has pre-shared keys only; leave them out", kind)
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
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock()
	d.secrets.Put(name, owners, []byte(request.Get("data")))
	if !slices.Contains(c.secrets, name) {
		c.secrets = append(c.secrets, name)
	}
	return success(), nil
}

func (d *Daemon) unloadShared(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
	name := socketSecret + request.Get("id")
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock()
	d.secrets.Remove(name)
	c.secrets = slices.DeleteFunc(c.secrets, func(other string) bool { return other == name })
	return success(), nil
}

func (d *Daemon) getShared(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, name := range c.secrets {
		ids = append(ids, strings.TrimPrefix(name, socketSecret))
	}
	return listed(vici.KeyKeys, ids), nil
}

func (d *Daemon) clearCreds(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.secrets {
		d.secrets.Remove(name)
	}
	c.secrets = nil
	return success(), nil
}
