package vici

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
)

// Handler answers one command. An error becomes success=no and errmsg in the response. It runs on its client's own
// goroutine: it may block, and then only that client waits. ctx ends with the client or the server.
type Handler func(ctx context.Context, s *Session, request Message) (Message, error)

// maxClients bounds the clients at a time. Ours: an operator, some exporters and our own commands need a dozen.
const maxClients = 256

// Server serves vici commands and events to any number of clients. Register commands and events, then Serve.
type Server struct {
	Log *slog.Logger // panics of handlers and clients that are closed; slog.Default unless set before Serve

	listener net.Listener
	cleanup  func() // removes the socket
	handlers map[string]Handler
	events   map[string]bool
	lost     atomic.Uint64

	mu      sync.Mutex
	clients map[*Session]bool
	closed  bool
}

// NewServer serves an open listener, such as one systemd handed over. Serve closes it.
func NewServer(l net.Listener) *Server {
	return &Server{
		Log:      slog.Default(),
		listener: l,
		cleanup:  func() {},
		handlers: map[string]Handler{},
		events:   map[string]bool{},
		clients:  map[*Session]bool{},
	}
}

// Handle registers a command. Before Serve only.
func (s *Server) Handle(name string, h Handler) { s.handlers[name] = h }

// Event declares an event that clients may register for. Before Serve only.
func (s *Server) Event(name string) { s.events[name] = true }

// Serve takes clients until ctx ends (then it returns nil) or the listener fails; either way it closes all clients,
// waits for their handlers and removes the socket.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.listener.Close() })
	defer stop()
	defer s.cleanup()
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer s.closeClients()
	defer cancel()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			s.listener.Close()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		c := newSession(s, conn)
		if !s.admit(c) {
			s.Log.Warn("control socket: client refused, too many are connected", "most", maxClients)
			conn.Close()
			continue
		}
		running.Go(func() {
			defer s.forget(c)
			c.serve(ctx)
		})
	}
}

// Broadcast gives an event to every client registered for it. It never blocks: a client whose queue is full loses the
// event, which Lost counts. An event too large for a packet is dropped and logged.
func (s *Server) Broadcast(name string, m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var encoded []byte
	for c := range s.clients {
		if !c.Registered(name) {
			continue
		}
		if encoded == nil {
			var err error
			if encoded, err = (packet{Type: event, Name: name, Message: m}).encode(); err != nil {
				s.Log.Warn("control socket: event not sent", "event", name, "error", err)
				return
			}
		}
		if !c.out.offer(encoded) {
			s.lost.Add(1)
		}
	}
}

// Listens reports whether a client is registered for the event, so that no message need be built for nobody.
func (s *Server) Listens(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if c.Registered(name) {
			return true
		}
	}
	return false
}

// Lost counts the broadcast events that slow clients did not get.
func (s *Server) Lost() uint64 { return s.lost.Load() }

func (s *Server) admit(c *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.clients) >= maxClients {
		return false
	}
	s.clients[c] = true
	return true
}

func (s *Server) forget(c *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

func (s *Server) closeClients() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.clients {
		c.stopReading()
	}
}
