package vici

import (
	"context"
	"net"
)

// Handler answers one command. An error ends as success=no and errmsg in the response. It runs on its client's goroutine: it may
// block, and then only that client waits. ctx ends with the client or the server.
type Handler func(ctx context.Context, s *Session, request Message) (Message, error)

// Server is a vici server.
type Server struct{}

// Listen makes the socket at path. group (name or number) owns it where it is not "".
func Listen(path, group string) (*Server, error) { return &Server{}, nil }

// NewServer serves an open listener, such as one systemd handed over.
func NewServer(l net.Listener) *Server { return &Server{} }

// Handle registers a command. Before Serve only.
func (s *Server) Handle(name string, h Handler) {}

// Event declares an event that clients may register for. Before Serve only.
func (s *Server) Event(name string) {}

// Serve takes clients until ctx ends, then closes them all and removes the socket.
func (s *Server) Serve(ctx context.Context) error { return nil }

// Broadcast gives an event to every client registered for it, and never blocks.
func (s *Server) Broadcast(event string, m Message) {}

// Listens reports whether a client is registered for event, so that nobody builds messages for nobody.
func (s *Server) Listens(event string) bool { return false }

// Session is one client, as a Handler sees it.
type Session struct{}

// Raise sends an event of the running command to this client alone, where it registered for it, in order and without loss; it
// blocks while the client does not read.
func (s *Session) Raise(event string, m Message) error { return nil }

// Registered reports whether this client registered for event.
func (s *Session) Registered(event string) bool { return false }
