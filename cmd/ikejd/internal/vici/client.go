package vici

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// Client is one connection to a vici server. One call at a time; after a call failed by its ctx or the connection, only
// Close is left.
type Client struct{ conn net.Conn }

// ErrUnknown is wrapped by errors about a command or event that the server does not have.
var ErrUnknown = errors.New("the daemon does not know it")

// ErrNoDaemon is wrapped by Dial's error where nobody listens.
var ErrNoDaemon = errors.New("no daemon answers")

// Refused is a command that the server answered with success=no.
type Refused struct {
	Command string
	Reason  string // the server's errmsg
}

// Error is the command and the server's reason.
func (r *Refused) Error() string { return fmt.Sprintf("%s: %s", r.Command, r.Reason) }

// Dial connects to the unix socket at path, which may be written as unix://PATH.
func Dial(path string) (*Client, error) {
	path = strings.TrimPrefix(path, "unix://")
	conn, err := net.Dial("unix", path)
	switch {
	case err == nil:
		return &Client{conn: conn}, nil
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return nil, fmt.Errorf("%w on %s; try: systemctl start ikejd, or --socket PATH", ErrNoDaemon, path)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("control socket %s: %w; run as root or as a member of the socket's group", path, err)
	}
	return nil, fmt.Errorf("control socket: %w", err)
}

// Close ends the connection, and a call in progress with it.
func (c *Client) Close() error { return c.conn.Close() }

// Call runs a command and gives its response. Where the response says success=no the error is a *Refused, with the
// response beside it.
func (c *Client) Call(ctx context.Context, cmd string, m Message) (Message, error) {
	return c.call(ctx, cmd, m, func(packet) {})
}

// CallStream runs a command and gives each event of that name to f until the response is there.
func (c *Client) CallStream(ctx context.Context, cmd, event string, m Message, f func(Message)) (Message, error) {
	if err := c.register(ctx, eventRegister, event, func(packet) {}); err != nil {
		return Message{}, err
	}
	pass := func(p packet) {
		if p.Name == event {
			f(p.Message)
		}
	}
	response, err := c.call(ctx, cmd, m, pass)
	if refused := (*Refused)(nil); err != nil && !errors.As(err, &refused) && !errors.Is(err, ErrUnknown) {
		return response, err
	}
	return response, errors.Join(err, c.register(ctx, eventUnregister, event, pass))
}

// Listen registers for events and gives each to f until ctx ends (then it returns nil), f fails or the server goes.
func (c *Client) Listen(ctx context.Context, events []string, f func(event string, m Message) error) error {
	var early []packet // what came while the later ones were being registered
	for _, name := range events {
		if err := c.register(ctx, eventRegister, name, func(p packet) { early = append(early, p) }); err != nil {
			return err
		}
	}
	for _, p := range early {
		if err := f(p.Name, p.Message); err != nil {
			return err
		}
	}
	for {
		p, err := c.receive(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if p.Type != event {
			return fmt.Errorf("%w: packet type %d where an event was expected", ErrMalformed, p.Type)
		}
		if err := f(p.Name, p.Message); err != nil {
			return err
		}
	}
}

func (c *Client) call(ctx context.Context, cmd string, m Message, onEvent func(packet)) (Message, error) {
	p, err := c.roundTrip(ctx, packet{Type: cmdRequest, Name: cmd, Message: m}, onEvent)
	if err != nil {
		return Message{}, fmt.Errorf("%s: %w", cmd, err)
	}
	switch p.Type {
	case cmdResponse:
		if p.Message.Get(KeySuccess) == No {
			return p.Message, &Refused{Command: cmd, Reason: p.Message.Get(KeyErrmsg)}
		}
		return p.Message, nil
	case cmdUnknown:
		return Message{}, fmt.Errorf("command %s: %w; is it of the same version?", cmd, ErrUnknown)
	default:
		return Message{}, fmt.Errorf("%s: %w: packet type %d where a response was expected", cmd, ErrMalformed, p.Type)
	}
}

func (c *Client) register(ctx context.Context, t packetType, name string, onEvent func(packet)) error {
	p, err := c.roundTrip(ctx, packet{Type: t, Name: name}, onEvent)
	switch {
	case err != nil:
		return fmt.Errorf("event %s: %w", name, err)
	case p.Type == eventConfirm:
		return nil
	case p.Type == eventUnknown:
		return fmt.Errorf("event %s: %w; is it of the same version?", name, ErrUnknown)
	}
	return fmt.Errorf("event %s: %w: packet type %d where a confirmation was expected", name, ErrMalformed, p.Type)
}

// roundTrip sends a packet and gives the first one back that is not an event.
func (c *Client) roundTrip(ctx context.Context, p packet, onEvent func(packet)) (packet, error) {
	encoded, err := p.encode()
	if err != nil {
		return packet{}, err
	}
	stop := context.AfterFunc(ctx, c.interrupt)
	_, err = c.conn.Write(encoded)
	stop()
	if err != nil {
		return packet{}, c.explain(ctx, err)
	}
	for {
		p, err := c.receive(ctx)
		if err != nil || p.Type != event {
			return p, err
		}
		onEvent(p)
	}
}

func (c *Client) receive(ctx context.Context) (packet, error) {
	defer context.AfterFunc(ctx, c.interrupt)()
	p, err := readPacket(c.conn)
	if err != nil {
		return packet{}, c.explain(ctx, err)
	}
	return p, nil
}

// interrupt makes every read and write return at once.
func (c *Client) interrupt() { _ = c.conn.SetDeadline(time.Unix(1, 0)) }

func (c *Client) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the daemon closed the control connection: %w; look into its log", io.ErrUnexpectedEOF)
	}
	return err
}
