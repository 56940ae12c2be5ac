package daemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
)

// smallDisk is a folder with 4 MB of room.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("a small disk takes root, which CI is")
		}
		t.Skip("a small disk takes root; try: sudo make quick")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes what room there is, less so many octets.
func fill(t *testing.T, file string, left int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := 64 << 10; block > 0; {
		if _, err := f.Write(make([]byte, block)); errors.Is(err, unix.ENOSPC) {
			block /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = f.Truncate(end - left)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The disk is full: the daemon stops with the reason, and nothing was sent that is not in the journal. With room again the
// next start takes over.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	const many = 60
	var config strings.Builder
	config.WriteString("connections {\n")
	for i := range many {
		fmt.Fprintf(&config, `    gw-%d {
        remote_addrs = 127.0.0.1
        remote_port = %d
        local {
            auth = psk
            id = west.example
        }
        remote {
            auth = psk
            id = gw-%[1]d.example
        }
        children {
            net-%[1]d {
            }
        }
    }
`, i, peer.LocalAddr().(*net.UDPAddr).Port)
	}
	config.WriteString("}\n" + secrets + "ikejd {\n    journal {\n        segment_size = 1m\n    }\n}\n")
	n := opened(t, dir, config.String())
	type end struct {
		code int
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		code, err := n.run(t.Context(), nil)
		ended <- end{code, err}
	}()
	heard := make(chan int, 1)
	go func() {
		datagrams := 0
		for buffer := make([]byte, 65536); ; datagrams++ {
			if _, err := peer.Read(buffer); err != nil {
				heard <- datagrams
				return
			}
		}
	}()
	n.must(vici.CmdInitiate, vici.KeyIKE, "gw-0", vici.KeyTimeout, "-1")
	n.until("the set-up is durable", func() bool { state, _ := n.durable.get(); return state.SA(1) != nil })
	fill(t, filepath.Join(dir, "filler"), 300<<10)

	var last end
	limit := time.After(soonEnough)
	for i := 1; last.err == nil; i = i%many + 1 {
		select {
		case last = <-ended:
			if last.err == nil {
				t.Fatalf("it ended with %d and no error", last.code)
			}
		case <-limit:
			t.Fatal("a full disk does not stop it")
		case <-time.After(time.Millisecond):
			n.engine.Post(&record.Event{Because: operator(), Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{
				Connection: fmt.Sprint("gw-", i%many), Failure: strings.Repeat("to fill the disk ", 200)}}})
			go n.initiate(&record.InitiateAsked{Connection: fmt.Sprint("gw-", i%many)}, operator())
		}
	}
	if last.code != ExitFailed || !strings.Contains(last.err.Error(), "the journal cannot be written") || !errors.Is(last.err, unix.ENOSPC) {
		t.Errorf("it ended with %d: %v", last.code, last.err)
	}
	if err := n.close(); err != nil {
		t.Error(err)
	}
	if err := peer.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got, durable := <-heard, n.sent()
	if got < 2 || got > durable {
		t.Errorf("the peer got %d datagrams, and the journal has %d sends", got, durable)
	}
	t.Logf("%v; %d datagrams of %d sends", last.err, got, durable)

	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	again := opened(t, dir, config.String())
	if again.engine.State().SA(1) == nil {
		t.Error("the next start has not taken over what was durable")
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}

// sent is how many sends the journal of a node that has ended holds.
func (n *node) sent() (sends int) {
	n.t.Helper()
	for _, r := range n.records() {
		for _, e := range r.GetEffects() {
			if e.GetRecord() != nil || e.GetResend() != nil {
				sends++
			}
		}
	}
	return sends
}
