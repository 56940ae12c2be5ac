package daemon

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// What swanctl --list-sas and --list-conns print comes from these keys.
func TestLists(t *testing.T) {
	east := start(t, answering)
	west := start(t, asking(east.ikePort, ""))
	west.must(vici.CmdInitiate, vici.KeyChild, "net")
	list := west.stream(vici.CmdListSAs, vici.EventListSA)
	if len(list) != 1 {
		t.Fatalf("%d SAs", len(list))
	}
	sa, _ := list[0].Sub("gw-east")
	got := map[string]string{}
	for _, it := range sa.Items() {
		if it.Kind == vici.KeyValue && !strings.HasSuffix(it.Name, "-spi") && !strings.HasSuffix(it.Name, "-port") && it.Name != vici.KeyRekeyTime {
			got[it.Name] = it.Value
		}
	}
	if diff := cmp.Diff(map[string]string{"uniqueid": "1", "version": "2", "state": "ESTABLISHED", "local-host": "127.0.0.1", "local-id": "west.example",
		"remote-host": "127.0.0.1", "remote-id": "east.example", "initiator": "yes", "encr-alg": "AES_GCM_16", "encr-keysize": "128",
		"prf-alg": "PRF_HMAC_SHA2_256", "dh-group": "CURVE_25519", "established": "0"}, got); diff != "" {
		t.Error(diff)
	}
	children, _ := sa.Sub(vici.KeyChildSAs)
	child, there := children.Sub("net-1")
	if !there || child.Get("state") != "INSTALLED" || child.Get("mode") != "TUNNEL" || child.Get("protocol") != "ESP" || child.Get("bytes-in") != "0" ||
		!slices.Equal(child.Values("local-ts"), []string{"10.1.0.0/24"}) || !slices.Equal(child.Values("remote-ts"), []string{"10.2.0.0/24"}) {
		t.Errorf("child: %+v", child)
	}
	for filter, want := range map[string]int{"ike=gw-east": 1, "ike=gw": 0, "ike-id=1": 1, "ike-id=2": 0, "child=net": 1, "child=nets": 0, "child-id=1": 1, "child-id=7": 0} {
		key, value, _ := strings.Cut(filter, "=")
		if got := len(west.stream(vici.CmdListSAs, vici.EventListSA, key, value)); got != want {
			t.Errorf("%s lists %d SAs, want %d", filter, got, want)
		}
	}
	conns := west.stream(vici.CmdListConns, vici.EventListConn)
	conn, _ := conns[0].Sub("gw-east")
	remote, _ := conn.Sub("remote-1")
	if conn.Get("version") != "IKEv2" || remote.Get("id") != "east.example" || remote.Get("class") != "pre-shared key" ||
		!slices.Equal(conn.Values("local_addrs"), []string{"%any"}) || !slices.Equal(conn.Values("remote_addrs"), []string{"127.0.0.1"}) {
		t.Errorf("connection: %+v", conn)
	}
	stats := west.must(vici.CmdStats)
	sas, _ := stats.Sub(vici.KeyIKESAs)
	if sas.Get("total") != "1" || sas.Get("half-open") != "0" {
		t.Errorf("stats: %+v", stats)
	}
	if code := west.stop(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
}

// Who registered for log, ike-updown and child-updown (swanctl --log, --monitor-sa) reads of each SA that comes and goes,
// once, at either end.
func TestEvents(t *testing.T) {
	east := start(t, answering)
	west := start(t, asking(east.ikePort, ""))
	heard := map[*node]chan string{}
	for _, n := range []*node{east, west} {
		heard[n] = make(chan string, 100)
		go func() {
			err := n.dial().Listen(t.Context(), []string{vici.EventLog, vici.EventIKEUpdown, vici.EventChildUpdown}, func(event string, m vici.Message) error {
				said := event + " " + m.Get("msg")
				for name, sa := range m.Sections() {
					said += name + " up=" + m.Get(vici.KeyUp) + " " + sa.Get(vici.KeyState)
					children, _ := sa.Sub(vici.KeyChildSAs)
					for child := range children.Sections() {
						said += " " + child
					}
				}
				heard[n] <- said
				return nil
			})
			if err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		}()
		n.until("somebody listens", func() bool { return n.server.Listens(vici.EventChildUpdown) })
	}
	west.must(vici.CmdInitiate, vici.KeyIKE, "gw-east")
	west.must(vici.CmdTerminate, vici.KeyIKE, "gw-east")
	for n, want := range map[*node][]string{
		west: {"ike-updown gw-east up=yes ESTABLISHED", "child-updown gw-east up=yes ESTABLISHED net-1", "child-updown gw-east up= DELETING net-1", "ike-updown gw-east up= DELETING"},
		east: {"child-updown any up=yes ESTABLISHED net-1", "ike-updown any up=yes ESTABLISHED", "child-updown any up= DESTROYING net-1", "ike-updown any up= DESTROYING"},
	} {
		var got []string
		for len(got) < len(want) {
			select {
			case said := <-heard[n]:
				if strings.Contains(said, "updown") {
					got = append(got, said)
				}
			case <-t.Context().Done():
				t.Fatal("never heard")
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// terminate waits until the SA is gone for its peer, which may already be told: asked by two it is closed once.
func TestTerminate(t *testing.T) {
	east := start(t, answering)
	west := start(t, asking(east.ikePort, ""))
	west.must(vici.CmdInitiate, vici.KeyIKE, "gw-east")
	for _, c := range []struct{ what, key, value, problem string }{
		{"nothing named", vici.KeyTimeout, "5", "name what to terminate: ike, ike-id, child or child-id"},
		{"no such SA", vici.KeyIKEID, "2", "no matching SAs to terminate found"},
		{"no number", vici.KeyIKEID, "two", `ike-id "two" is not a number`},
	} {
		if _, err := west.call(vici.CmdTerminate, c.key, c.value); err == nil || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	// force does not wait, and the second command waits for the same Delete.
	m := west.must(vici.CmdTerminate, vici.KeyIKEID, "1", vici.KeyForce, vici.Yes)
	if m.Get(vici.KeyMatches) != "1" || m.Get(vici.KeyTerminated) != "0" {
		t.Errorf("force: %+v", m)
	}
	if m, err := west.call(vici.CmdTerminate, vici.KeyIKEID, "1"); err == nil && m.Get(vici.KeyTerminated) != "1" {
		t.Errorf("again: %+v", m)
	}
	west.until("the SA is gone", func() bool { return west.engine.State().SAs() == 0 })
	// At the other end it lingers, which is no SA to terminate.
	if _, err := east.call(vici.CmdTerminate, vici.KeyIKE, "any"); err == nil || !strings.Contains(err.Error(), "no matching SAs") {
		t.Errorf("a lingering SA: %v", err)
	}
	deletes := 0
	west.stop()
	for _, ev := range west.events() {
		if d := ev.GetDatagramReceived(); d != nil && ev.GetBecause().GetStep() != 0 {
			deletes++
		}
	}
	if deletes != 3 { // answers to IKE_SA_INIT, IKE_AUTH and one Delete
		t.Errorf("%d answers", deletes)
	}
}

// A peer that is silent: what initiate and terminate say when their time is over.
func TestTimeouts(t *testing.T) {
	silent := start(t, answering)
	west := start(t, asking(silent.natPort, "")) // which wants the non-ESP marker
	if _, err := west.call(vici.CmdInitiate, vici.KeyChild, "net", vici.KeyTimeout, "20"); err == nil || err.Error() != "initiate: CHILD_SA 'net' not established after 20ms; it goes on" {
		t.Errorf("initiate: %v", err)
	}
	west.must(vici.CmdInitiate, vici.KeyIKE, "gw-east", vici.KeyTimeout, "-1")
	if _, err := west.call(vici.CmdInitiate, vici.KeyChild, "net", vici.KeyTimeout, "soon"); err == nil || !strings.Contains(err.Error(), `timeout "soon" is not a number of milliseconds`) {
		t.Errorf("no number: %v", err)
	}
	// Before IKE_AUTH the peer has no SA: it is gone at once.
	if m := west.must(vici.CmdTerminate, vici.KeyIKE, "gw-east"); m.Get(vici.KeyTerminated) != m.Get(vici.KeyMatches) {
		t.Errorf("terminate: %+v", m)
	}
}

// A client that goes away does not keep its command from being done, nor the daemon from ending.
func TestClientGoes(t *testing.T) {
	silent := start(t, answering)
	west := start(t, asking(silent.natPort, ""))
	c := west.dial()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Call(ctx, vici.CmdInitiate, message(vici.KeyIKE, "gw-east")); err == nil {
		t.Error("it was waited for")
	}
	c.Close()
	if code := west.stop(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
}
