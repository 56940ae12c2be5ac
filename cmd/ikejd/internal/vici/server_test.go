package vici

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start serves on a socket of its own until the test ends. setup registers what the test needs.
func start(t *testing.T, setup func(*Server)) (s *Server, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "vici")
	s, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Log = slog.New(slog.DiscardHandler)
	setup(s)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is still there after Serve")
		}
	})
	return s, path
}

func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestCall(t *testing.T) {
	_, path := start(t, func(s *Server) {
		s.Handle("echo", func(_ context.Context, _ *Session, m Message) (Message, error) { return m, nil })
		s.Handle("refuse", func(context.Context, *Session, Message) (Message, error) {
			return Message{}, errors.New("no connection of that name; try: ikejd list")
		})
		s.Handle("break", func(context.Context, *Session, Message) (Message, error) { panic("invariant") })
		s.Handle("overflow", func(context.Context, *Session, Message) (m Message, _ error) {
			m.Set("k", strings.Repeat("v", 1<<17))
			return m, nil
		})
	})
	c := dial(t, path)
	ctx := t.Context()

	var m Message
	m.Set("k", "v")
	if got, err := c.Call(ctx, "echo", m); err != nil || got.Get("k") != "v" {
		t.Errorf("echo: %v, %v", got, err)
	}
	var refused *Refused
	if _, err := c.Call(ctx, "refuse", m); !errors.As(err, &refused) || !strings.Contains(err.Error(), "ikejd list") {
		t.Errorf("refuse: %v", err)
	}
	if _, err := c.Call(ctx, "break", m); !errors.As(err, &refused) {
		t.Errorf("break: %v", err)
	}
	if _, err := c.Call(ctx, "overflow", m); !errors.As(err, &refused) || !strings.Contains(err.Error(), "65535") {
		t.Errorf("overflow: %v", err)
	}
	if _, err := c.Call(ctx, "nonsense", m); !errors.Is(err, ErrUnknown) {
		t.Errorf("nonsense: %v", err)
	}
	if _, err := c.CallStream(ctx, "echo", "nonsense", m, func(Message) {}); !errors.Is(err, ErrUnknown) {
		t.Errorf("event nonsense: %v", err)
	}
	if got, err := c.Call(ctx, "echo", m); err != nil || got.Get("k") != "v" {
		t.Errorf("after all of these: %v, %v", got, err)
	}
}

// A streaming command raises far more than the queue holds and loses nothing, in order, whatever the client's pace.
// A client that does not read loses events, counted, and Broadcast never waits for it; others lose nothing.
// What a handler offers either arrives, in order, or is counted as lost; and the handler never waits.
// More clients than are allowed are turned away, and let in when others go.
func TestTooManyClients(t *testing.T) {
	_, path := start(t, func(s *Server) {
		s.Handle("version", func(context.Context, *Session, Message) (Message, error) { return Message{}, nil })
	})
	var clients []*Client
	for range maxClients {
		c := dial(t, path)
		if _, err := c.Call(t.Context(), "version", Message{}); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	if _, err := dial(t, path).Call(t.Context(), "version", Message{}); err == nil {
		t.Error("one client too many was served")
	}
	clients[0].Close()
	for { // the server needs a moment to see it
		if _, err := dial(t, path).Call(t.Context(), "version", Message{}); err == nil {
			break
		}
	}
}

// A handler that blocks holds up its own client only, and learns that the client went.
func TestBlockedHandler(t *testing.T) {
	entered, ended := make(chan bool), make(chan error, 1)
	_, path := start(t, func(s *Server) {
		s.Handle("initiate", func(ctx context.Context, _ *Session, _ Message) (Message, error) {
			entered <- true
			<-ctx.Done()
			ended <- ctx.Err()
			return Message{}, ctx.Err()
		})
		s.Handle("version", func(context.Context, *Session, Message) (Message, error) { return Message{}, nil })
	})
	blocked, other := dial(t, path), dial(t, path)
	go blocked.Call(context.Background(), "initiate", Message{})
	<-entered
	if _, err := other.Call(t.Context(), "version", Message{}); err != nil {
		t.Error(err)
	}
	blocked.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler saw %v", err)
	}
}

// The end of the server ends a blocked command with an answer.
func TestServerEndsDuringACommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vici")
	s, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Handle("terminate", func(ctx context.Context, _ *Session, _ Message) (Message, error) {
		cancel()
		<-ctx.Done()
		return Message{}, errors.New("the daemon is shutting down")
	})
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	var refused *Refused
	if _, err := dial(t, path).Call(t.Context(), "terminate", Message{}); !errors.As(err, &refused) {
		t.Errorf("terminate: %v", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestCallGivesUp(t *testing.T) {
	_, path := start(t, func(s *Server) {
		s.Handle("initiate", func(ctx context.Context, _ *Session, _ Message) (Message, error) {
			<-ctx.Done()
			return Message{}, ctx.Err()
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := dial(t, path).Call(ctx, "initiate", Message{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// A client that sends what is not vici is closed; the server and its other clients go on.
func TestGarbage(t *testing.T) {
	_, path := start(t, func(s *Server) {
		s.Handle("version", func(context.Context, *Session, Message) (Message, error) { return Message{}, nil })
	})
	for name, octets := range map[string]string{
		"text":                "GET / HTTP/1.1\r\n\r\n",
		"too large":           "\xff\xff\xff\xff",
		"unknown type":        "\x00\x00\x00\x01\x09",
		"only servers send":   "\x00\x00\x00\x01\x01",
		"message of garbage":  "\x00\x00\x00\x04\x00\x01x\x09",
		"ends within a frame": "\x00\x00\x00\x09\x00\x07ver",
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, octets); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err == nil && len(got) > 0 {
			t.Errorf("%s: answered %q", name, got)
		}
		conn.Close()
	}
	if _, err := dial(t, path).Call(t.Context(), "version", Message{}); err != nil {
		t.Error(err)
	}
}

// Requests sent without waiting are answered in their order.
func TestPipelining(t *testing.T) {
	_, path := start(t, func(s *Server) {
		s.Handle("echo", func(_ context.Context, _ *Session, m Message) (Message, error) { return m, nil })
	})
	c := dial(t, path)
	const n = 50
	go func() {
		for i := range n {
			var m Message
			m.Set("n", string(rune('A'+i)))
			encoded, err := packet{Type: cmdRequest, Name: "echo", Message: m}.encode()
			if err == nil {
				_, err = c.conn.Write(encoded)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range n {
		p, err := readPacket(c.conn)
		if err != nil || p.Message.Get("n") != string(rune('A'+i)) {
			t.Fatalf("answer %d is %+v, %v", i, p, err)
		}
	}
}
