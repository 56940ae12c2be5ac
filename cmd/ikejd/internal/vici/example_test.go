package vici_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// A streaming command: events, then the response.
func Example() {
	dir, err := os.MkdirTemp("", "vici")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ikejd.vici")
	server, err := vici.Listen(path, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Event(vici.EventListSA)
	server.Handle(vici.CmdListSAs, func(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
		if name := request.Get(vici.KeyIKE); name != "" && name != "gw" {
			return vici.Message{}, errors.New("no such SA; try: ikejd list")
		}
		var m vici.Message
		m.Section("gw").Set(vici.KeyState, "ESTABLISHED")
		return vici.Message{}, s.Raise(ctx, vici.EventListSA, m)
	})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error)
	go func() { served <- server.Serve(ctx) }()

	client, err := vici.Dial(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	print := func(m vici.Message) {
		for name, sa := range m.Sections() {
			fmt.Println(name, sa.Get(vici.KeyState))
		}
	}
	_, err = client.CallStream(ctx, vici.CmdListSAs, vici.EventListSA, vici.Message{}, print)
	fmt.Println(err)
	var request vici.Message
	request.Set(vici.KeyIKE, "other")
	_, err = client.Call(ctx, vici.CmdListSAs, request)
	fmt.Println(err)
	stop()
	fmt.Println(<-served)
	// Output:
	// gw ESTABLISHED
	// <nil>
	// list-sas: no such SA; try: ikejd list
	// <nil>
}
