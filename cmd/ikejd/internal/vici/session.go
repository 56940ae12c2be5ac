package vici

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// readAhead is how many packets of a client may wait for its running command. While there is room the reader sees at
// once that the client has gone.
const readAhead = 4

// lastWords is how long the answers that are already queued may take to reach a client when its session ends.
const lastWords = time.Second

// Session is one client, as a Handler sees it. A reader takes its packets, one goroutine runs its commands in their
// order, a writer sends what is queued.
type Session struct {
	server *Server
	conn   net.Conn
	out    *queue

	mu         sync.Mutex
	registered map[string]bool
}

func newSession(s *Server, conn net.Conn) *Session {
	return &Session{server: s, conn: conn, out: newQueue(), registered: map[string]bool{}}
}

// Raise sends an event of the running command to this client alone, where it registered for it: in order and without
// loss. It waits while the client does not read, until ctx ends.
func (c *Session) Raise(ctx context.Context, name string, m Message) error {
	if !c.Registered(name) {
		return nil
	}
	return c.send(ctx, packet{Type: event, Name: name, Message: m})
}

// Offer is Raise for what may be lost, such as control-log lines: it never waits.
func (c *Session) Offer(name string, m Message) {
	if !c.Registered(name) {
		return
	}
	encoded, err := packet{Type: event, Name: name, Message: m}.encode()
	if err != nil || !c.out.offer(encoded) {
		c.server.lost.Add(1)
	}
}

// Registered reports whether this client registered for the event.
func (c *Session) Registered(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.registered[name]
}

// serve runs until the client goes, sends garbage, or ctx ends.
func (c *Session) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var writer, reader sync.WaitGroup
	writer.Go(func() {
		c.write()
		cancel() // nobody would get an answer
	})
	requests := make(chan packet, readAhead)
	reader.Go(func() {
		defer cancel()
		defer close(requests)
		c.read(ctx, requests)
	})
	for p := range requests {
		if err := c.answer(ctx, p); err != nil || ctx.Err() != nil {
			break
		}
	}
	cancel()
	c.out.close()
	_ = c.conn.SetWriteDeadline(time.Now().Add(lastWords))
	writer.Wait()
	c.hangUp()
	for range requests { // lets the reader end
	}
	reader.Wait()
}

// read passes packets on until the connection ends.
func (c *Session) read(ctx context.Context, requests chan<- packet) {
	for {
		p, err := readPacket(c.conn)
		if err != nil {
			if errors.Is(err, ErrMalformed) {
				c.server.Log.Warn("control socket: client closed", "error", err)
			}
			return
		}
		select {
		case requests <- p:
		case <-ctx.Done():
			return
		}
	}
}

// write sends what is queued until the queue closes or the connection fails.
func (c *Session) write() {
	for {
		packets := c.out.take()
		if packets == nil {
			return
		}
		buffers := net.Buffers(packets)
		n, err := buffers.WriteTo(c.conn)
		if err != nil {
			c.hangUp()
			c.out.close()
			return
		}
		c.out.done(int(n))
	}
}

// answer does what one packet asks; an error ends the session.
func (c *Session) answer(ctx context.Context, p packet) error {
	switch p.Type {
	case cmdRequest:
		h, ok := c.server.handlers[p.Name]
		if !ok {
			return c.send(ctx, packet{Type: cmdUnknown})
		}
		response := c.run(ctx, p.Name, h, p.Message)
		err := c.send(ctx, packet{Type: cmdResponse, Message: response})
		if err != nil && ctx.Err() == nil && !errors.Is(err, io.ErrClosedPipe) {
			return c.send(ctx, packet{Type: cmdResponse, Message: failure(err)}) // too large to be sent
		}
		return err
	case eventRegister, eventUnregister:
		if !c.server.events[p.Name] {
			return c.send(ctx, packet{Type: eventUnknown})
		}
		c.mu.Lock()
		c.registered[p.Name] = p.Type == eventRegister
		c.mu.Unlock()
		return c.send(ctx, packet{Type: eventConfirm})
	case cmdResponse, cmdUnknown, eventConfirm, eventUnknown, event:
		// what only a server may send
	}
	c.server.Log.Warn("control socket: client closed", "error", fmt.Errorf("%w: packet type %d from a client", ErrMalformed, p.Type))
	return ErrMalformed
}

// run calls a handler. Its panic costs this command, not the daemon.
func (c *Session) run(ctx context.Context, name string, h Handler, request Message) (response Message) {
	defer func() {
		if r := recover(); r != nil {
			c.server.Log.Error("control socket: command panicked", "command", name, "panic", r, "stack", string(debug.Stack()))
			response = failure(fmt.Errorf("command %s broke in the daemon; its log has the details: report them", name))
		}
	}()
	response, err := h(ctx, c, request)
	if err != nil {
		return failure(err)
	}
	return response
}

// failure is the response of a command that did not do what was asked.
func failure(err error) Message {
	var m Message
	m.Set(KeySuccess, No)
	m.Set(KeyErrmsg, err.Error())
	return m
}

func (c *Session) send(ctx context.Context, p packet) error {
	encoded, err := p.encode()
	if err != nil {
		return err
	}
	return c.out.put(ctx, encoded)
}

// hangUp ends the connection, which ends reader and writer; the session's own goroutine follows.
func (c *Session) hangUp() { c.conn.Close() }

// stopReading ends the session after the command that is running: its answer still goes out.
func (c *Session) stopReading() { _ = c.conn.SetReadDeadline(time.Unix(1, 0)) }
