package vici

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestStream(t *testing.T) {
	const events = 40
	filler := strings.Repeat("x", 60_000)
	_, path := start(t, func(s *Server) {
		s.Event("list-sa")
		s.Handle("list-sas", func(ctx context.Context, c *Session, _ Message) (Message, error) {
			for i := range events {
				var m Message
				m.Set("n", string(rune('A'+i)))
				m.Set("filler", filler)
				if err := c.Raise(ctx, "list-sa", m); err != nil {
					return Message{}, err
				}
			}
			return Message{}, nil
		})
	})
	c := dial(t, path)
	for range 2 {
		var got []string
		if _, err := c.CallStream(t.Context(), "list-sas", "list-sa", Message{}, func(m Message) { got = append(got, m.Get("n")) }); err != nil {
			t.Fatal(err)
		}
		if len(got) != events || !slices.IsSorted(got) {
			t.Errorf("events %q", got)
		}
	}
	// Not registered for the events: the response alone.
	if _, err := c.Call(t.Context(), "list-sas", Message{}); err != nil {
		t.Error(err)
	}
}

func TestBroadcastToASlowClient(t *testing.T) {
	s, path := start(t, func(s *Server) { s.Event("log"); s.Event("ike-updown") })
	slow, good := dial(t, path), dial(t, path)
	for _, c := range []*Client{slow, good} {
		if err := c.register(t.Context(), eventRegister, "log", func(packet) {}); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Listens("log") || s.Listens("ike-updown") {
		t.Error("Listens is wrong")
	}
	received := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listened := make(chan error)
	go func() {
		listened <- good.Listen(ctx, nil, func(event string, m Message) error {
			received <- event + m.Get("n")
			return nil
		})
	}()
	var m Message
	m.Set("filler", strings.Repeat("x", 50_000))
	for i := range 200 {
		m.Set("n", string(rune('A'+i)))
		s.Broadcast("log", m)
		s.Broadcast("ike-updown", m)
		if got := <-received; got != "log"+string(rune('A'+i)) {
			t.Fatalf("event %d is %q", i, got)
		}
	}
	if s.Lost() == 0 {
		t.Error("ten megabytes waited for a client that does not read")
	}
	cancel()
	if err := <-listened; err != nil {
		t.Errorf("Listen: %v", err)
	}
	// What the slow client did get is in order and whole.
	last := ""
	ctx, cancelSlow := context.WithCancel(t.Context())
	defer cancelSlow()
	err := slow.Listen(ctx, []string{"ike-updown"}, func(_ string, m Message) error {
		if n := m.Get("n"); n <= last || len(m.Get("filler")) != 50_000 {
			t.Errorf("event %q after %q", n, last)
		} else {
			last = n
		}
		return io.EOF
	})
	if err != io.EOF {
		t.Error(err)
	}
}

func TestOffer(t *testing.T) {
	const events = 300
	s, path := start(t, func(s *Server) {
		s.Event("control-log")
		s.Handle("initiate", func(_ context.Context, c *Session, m Message) (Message, error) {
			for i := range events {
				m.Set("n", string(rune('A'+i)))
				c.Offer("control-log", m)
			}
			return Message{}, nil
		})
	})
	var m Message
	m.Set("filler", strings.Repeat("x", 50_000))
	got, last := 0, ""
	_, err := dial(t, path).CallStream(t.Context(), "initiate", "control-log", m, func(m Message) {
		if m.Get("n") <= last {
			t.Errorf("%q after %q", m.Get("n"), last)
		}
		got, last = got+1, m.Get("n")
	})
	if err != nil || got == 0 || got+int(s.Lost()) != events {
		t.Errorf("%d arrived, %d lost, %v", got, s.Lost(), err)
	}
}
