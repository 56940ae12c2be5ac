package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func main() {
	log.SetFlags(log.Lmicroseconds)
	var w weather
	var proxies list
	flag.Var(&proxies, "proxy", "relay LISTEN=TARGET, both IP:PORT (may be repeated)")
	wire := flag.String("wire", "", "join two Ethernet interfaces: IF1,IF2")
	plan := flag.String("plan", "", "fates of single datagrams: a1=drop,b:INFORMATIONAL:2=dup,b3=hold,a4=pass")
	pcapName := flag.String("pcap", "", "write NAME.sent.pcap and NAME.delivered.pcap")
	flag.Float64Var(&w.drop, "drop", 0, "probability that a datagram is lost")
	flag.Float64Var(&w.dup, "dup", 0, "probability that it is delivered twice")
	flag.Float64Var(&w.reorder, "reorder", 0, "probability that it is held until the next one has passed")
	flag.DurationVar(&w.hold, "hold", 300*time.Millisecond, "longest time a held datagram waits for another")
	flag.DurationVar(&w.delay, "delay", 0, "delay of every datagram")
	flag.DurationVar(&w.jitter, "jitter", 0, "uniform extra delay; the order is kept")
	flag.Uint64Var(&w.seed, "seed", 1, "seed of all decisions")
	flag.BoolVar(&w.onlyPlan, "only-plan", false, "ignore the probabilities: only -plan changes anything")
	flag.BoolVar(&w.all, "all", false, "count ESP in UDP and NAT keepalives too")
	flag.BoolVar(&w.verbose, "v", false, "log each datagram and its fate")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: lossy {-proxy LISTEN=TARGET... | -wire IF1,IF2} [options]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if (len(proxies) == 0) == (*wire == "") || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(w, *wire, proxies, *plan, *pcapName); err != nil {
		log.Fatal("lossy: ", err)
	}
}

func run(w weather, wire string, proxies []string, planText, pcapName string) (err error) {
	if w.plan, err = parsePlan(planText); err != nil {
		return err
	}
	sent, err := newCapture(pcapName, ".sent.pcap")
	if err != nil {
		return err
	}
	delivered, err := newCapture(pcapName, ".delivered.pcap")
	if err != nil {
		return err
	}
	lanes := [2]*lane{newLane('a', w, sent, delivered), newLane('b', w, sent, delivered)}
	if wire != "" {
		err = runWire(wire, lanes)
	}
	for _, p := range proxies {
		if err = runProxy(p, lanes); err != nil {
			break
		}
	}
	if err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("ready")
	<-ended
	report := map[string]Counts{"a": lanes[0].stop(), "b": lanes[1].stop()}
	if err := errors.Join(sent.close(), delivered.close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}
