package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
)

// connection is a load-conn as swanctl sends one.
func connection(name, remote string, port uint16, startAction string) vici.Message {
	var m vici.Message
	c := m.Section(name)
	c.List("remote_addrs", remote)
	c.Set("remote_port", fmt.Sprint(port))
	c.List("proposals", "aes128gcm16-prfsha256-x25519")
	local := c.Section("local")
	local.Set("auth", "psk")
	local.Set("id", "west.example")
	other := c.Section("remote")
	other.Set("auth", "psk")
	other.Set("id", "east.example")
	child := c.Section("children").Section("net")
	child.List("local_ts", "10.1.0.0/24")
	child.List("remote_ts", "10.2.0.0/24")
	child.List("esp_proposals", "aes128gcm16")
	if startAction != "" {
		child.Set("start_action", startAction)
	}
	return m
}

// swanctl --load-all: many connections are few events, only what is new and wanted up is initiated, once, and what came
// over the socket can be listed and unloaded, which the file's cannot.
func TestLoading(t *testing.T) {
	east := start(t, answering)
	west := start(t, "connections {\n}\n")
	c := west.dial()
	load := func(command string, m vici.Message) vici.Message {
		t.Helper()
		response, err := c.Call(t.Context(), command, m)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	var secret vici.Message
	secret.Set("id", "ike-1")
	secret.Set("type", "ike")
	secret.Set("data", "for tests")
	secret.List("owners", "east.example")
	load(vici.CmdLoadShared, secret)
	if got := load(vici.CmdGetShared, vici.Message{}).Values(vici.KeyKeys); !slices.Equal(got, []string{"ike-1"}) {
		t.Errorf("secrets: %v", got)
	}
	const many = 40
	for i := range many {
		load(vici.CmdLoadConn, connection(fmt.Sprint("gw-", i), "192.0.2.1", 500, ""))
	}
	load(vici.CmdLoadConn, connection("gw-east", "127.0.0.1", east.ikePort, "start"))
	load(vici.CmdLoadConn, connection("gw-east", "127.0.0.1", east.ikePort, "start"))
	west.until("gw-east is up", func() bool { return west.connectionsUp()["gw-east"] && west.engine.State().SA(1).Established != 0 })
	load(vici.CmdLoadConn, connection("gw-east", "127.0.0.1", east.ikePort, "start"))
	load(vici.CmdLoadConn, connection("gw-0", "192.0.2.2", 500, "")) // changed
	west.until("the change is in force", func() bool {
		return slices.Contains(west.engine.State().Config().Connections[0].RemoteAddrs, "192.0.2.2")
	})
	if got := len(load(vici.CmdGetConns, vici.Message{}).Values(vici.KeyConns)); got != many+1 {
		t.Errorf("%d connections loaded", got)
	}
	load(vici.CmdUnloadConn, message("name", "gw-1"))
	west.until("gw-1 is gone", func() bool { return len(west.engine.State().Config().Connections) == many })
	if _, err := c.Call(t.Context(), vici.CmdUnloadConn, message("name", "gw-1")); err == nil || !strings.Contains(err.Error(), `no connection "gw-1" was loaded over this socket`) {
		t.Errorf("unloaded twice: %v", err)
	}
	load(vici.CmdUnloadShare, message("id", "ike-1"))
	load(vici.CmdUnloadShare, message("id", "ike-1"))
	load(vici.CmdLoadShared, secret)
	load(vici.CmdClearCreds, vici.Message{})
	if got := load(vici.CmdGetShared, vici.Message{}).Values(vici.KeyKeys); len(got) != 0 {
		t.Errorf("secrets after clear: %v", got)
	}
	for _, bad := range []struct{ command, problem string }{{vici.CmdLoadConn, "remote_adrs"}, {vici.CmdLoadShared, "eap"}} {
		var m vici.Message
		m.Section("gw-bad").Set("remote_adrs", "192.0.2.1")
		m.Set("type", "eap")
		if _, err := c.Call(t.Context(), bad.command, m); err == nil || !strings.Contains(err.Error(), bad.problem) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", bad.command, err)
		}
	}
	west.stop()
	loaded, initiated := 0, 0
	for _, ev := range west.events() {
		if ev.GetConfigLoaded() != nil {
			loaded++
		}
		if ev.GetInitiateAsked() != nil {
			initiated++
		}
	}
	if loaded > 8 || initiated != 1 {
		t.Errorf("%d ConfigLoaded and %d InitiateAsked for %d loads", loaded, initiated, many+5)
	}
}

// A connection over the socket goes before one of the file with its name, and leaves it when it is unloaded.
func TestConfigurationOrder(t *testing.T) {
	n := start(t, asking(500, ""))
	c := &n.config
	names := func() (all []string) {
		for _, connection := range c.connections() {
			all = append(all, fmt.Sprintf("%s:%d", connection.Name, connection.RemotePort))
		}
		return all
	}
	c.load(connectionOf(t, "gw-new", 501))
	c.load(connectionOf(t, "gw-east", 502))
	c.load(connectionOf(t, "gw-new", 503))
	if diff := cmp.Diff([]string{"gw-new:503", "gw-east:502"}, names()); diff != "" {
		t.Error(diff)
	}
	if !c.unload("gw-east") || c.unload("gw-east") {
		t.Error("unload")
	}
	if diff := cmp.Diff([]string{"gw-east:500", "gw-new:503"}, names()); diff != "" {
		t.Error(diff)
	}
	if c.connection("gw-new").RemotePort != 503 || c.connection("gw") != nil {
		t.Error("by name")
	}
}

func TestCompare(t *testing.T) {
	conn := func(name string, dpd uint64, children ...record.StartAction) *record.Connection {
		c := &record.Connection{Name: name, DpdDelay: dpd}
		for i, action := range children {
			c.Children = append(c.Children, &record.Child{Name: fmt.Sprint("c", i), StartAction: action})
		}
		return c
	}
	const up, no = record.StartAction_START_ACTION_START, record.StartAction_START_ACTION_NONE
	before := &record.Config{Connections: []*record.Connection{conn("same", 1, up), conn("other", 1, no, up), conn("gone", 1, up)}}
	next := &record.Config{Connections: []*record.Connection{conn("other", 2, no, up, up), conn("same", 1, up), conn("new", 1, up), conn("quiet", 1, no)}}
	for _, c := range []struct {
		before *record.Config
		diff   difference
		wanted string
	}{
		{before, difference{connections: 4, fresh: 2, changed: 1, removed: 1}, "other/c1 new/c0"},
		{nil, difference{connections: 4, fresh: 4}, "other/c1 same/c0 new/c0"},
		{next, difference{connections: 4}, ""},
	} {
		diff, asked := compare(c.before, next)
		var wanted []string
		for _, a := range asked {
			wanted = append(wanted, a.GetConnection()+"/"+a.GetChild())
		}
		if diff != c.diff || strings.Join(wanted, " ") != c.wanted {
			t.Errorf("%+v, %v; want %+v, %s", diff, wanted, c.diff, c.wanted)
		}
	}
}
