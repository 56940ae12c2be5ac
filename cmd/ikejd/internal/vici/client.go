package vici

import "context"

// Client is one connection to a vici server. One call at a time.
type Client struct{}

// Dial connects to the unix socket at path.
func Dial(path string) (*Client, error) { return &Client{}, nil }

// Call runs a command.
func (c *Client) Call(ctx context.Context, cmd string, m Message) (Message, error) {
	return Message{}, nil
}

// CallStream runs a command and gives each event of that name to f until the response is there.
func (c *Client) CallStream(ctx context.Context, cmd, event string, m Message, f func(Message)) (Message, error) {
	return Message{}, nil
}

// Listen registers for events and gives each to f until ctx ends, f fails or the server goes.
func (c *Client) Listen(ctx context.Context, events []string, f func(event string, m Message) error) error {
	return nil
}

// Close ends the connection.
func (c *Client) Close() error { return nil }
