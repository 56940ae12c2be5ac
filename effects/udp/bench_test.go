package udp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Datagrams of 200 octets there and received, on loopback. The batch is what the engine hands to Send at
// once; what is received in one call follows from it. The ratio to batch=1 is what batching gains.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			config := Config{Listen: []netip.Addr{loopback4}}
			us, peer := open(b, config), open(b, config)
			arrived := make(chan int, 1024)
			go peer.Receive(func(batch []Datagram) { arrived <- len(batch) })
			out := make([]Outgoing, size)
			for i := range out {
				out[i] = Outgoing{Local: us.Addrs()[0], Remote: peer.Addrs()[0], Bytes: message(200)}
			}
			const outstanding = 512 // below what any receive buffer holds
			open, sent := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				us.Send(out)
				sent += size
				for open += size; open > outstanding; {
					select {
					case n := <-arrived:
						open -= n
					case <-time.After(time.Second):
						b.Fatalf("%d datagrams were lost", open)
					}
				}
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "datagrams/s")
		})
	}
}

// Only the sending side, to a socket that is never read and so drops all: what sendmmsg gains.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			us := open(b, Config{Listen: []netip.Addr{loopback4}})
			sink := open(b, Config{Listen: []netip.Addr{loopback4}, ReceiveBuffer: 4096})
			out := make([]Outgoing, size)
			for i := range out {
				out[i] = Outgoing{Local: us.Addrs()[0], Remote: sink.Addrs()[0], Bytes: message(200)}
			}
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				us.Send(out)
				sent += size
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "datagrams/s")
		})
	}
}
