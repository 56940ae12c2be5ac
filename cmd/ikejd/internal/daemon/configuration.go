package daemon

import (
	"slices"
	"sync"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/proto/record"
)

// configuration is what may be in force: the file's entries, and beside them those that came over the control socket,
// which go before entries of the file with the same name.
type configuration struct {
	mu          sync.Mutex
	file        *conf.Config
	fileSecrets []string // their names in the store
	loaded      map[string]conf.Connection
	order       []string // of loaded
	secrets     []string // over the socket; names in the store

	all     []conf.Connection // both, as they are tried; nil: to be put together again
	byName  map[string]int    // in all
	dirty   bool              // something is not in force yet
	given   *record.Config    // the last that was put in force
	changed chan struct{}     // something is to be put in force
}

func newConfiguration() configuration {
	return configuration{file: &conf.Config{Settings: conf.DefaultSettings()}, loaded: map[string]conf.Connection{}, changed: make(chan struct{}, 1)}
}

func (c *configuration) setFile(file *conf.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.file = file
	c.touch()
}

func (c *configuration) settings() *conf.Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &c.file.Settings
}

// load takes a connection over the control socket, in place of one that was loaded under its name.
func (c *configuration) load(connection conf.Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.loaded[connection.Name]; !there {
		c.order = append(c.order, connection.Name)
	}
	c.loaded[connection.Name] = connection
	c.touch()
}

// unload forgets a connection that was loaded; false: none was under that name.
func (c *configuration) unload(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.loaded[name]; !there {
		return false
	}
	delete(c.loaded, name)
	c.order = slices.DeleteFunc(c.order, func(other string) bool { return other == name })
	c.touch()
	return true
}

func (c *configuration) loadedNames() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// touch says that something is to be put in force; mu is held.
func (c *configuration) touch() {
	c.all, c.dirty = nil, true
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// connections are all of them in their order; not to be written.
func (c *configuration) connections() []conf.Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.together()
}

func (c *configuration) together() []conf.Connection {
	if c.all != nil {
		return c.all
	}
	c.all, c.byName = []conf.Connection{}, map[string]int{}
	for _, connection := range c.file.Connections {
		if _, replaced := c.loaded[connection.Name]; !replaced {
			c.all = append(c.all, connection)
		}
	}
	for _, name := range c.order {
		c.all = append(c.all, c.loaded[name])
	}
	for i := range c.all {
		c.byName[c.all[i].Name] = i
	}
	return c.all
}

// connection is the one of that name, or nil; not to be written.
func (c *configuration) connection(name string) *conf.Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.together()
	if i, there := c.byName[name]; there {
		return &all[i]
	}
	return nil
}
