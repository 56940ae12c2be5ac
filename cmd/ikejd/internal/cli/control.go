package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// What the commands that speak to a running daemon share. They use its control socket like swanctl does.

// ask runs a command of the control socket; each event of that name is given to f.
func (a *app) ask(ctx context.Context, command, event string, request vici.Message, f func(vici.Message)) (vici.Message, error) {
	c, err := vici.Dial(a.socket)
	if err != nil {
		return vici.Message{}, err
	}
	defer c.Close()
	var response vici.Message
	if event == "" {
		response, err = c.Call(ctx, command, request)
	} else {
		response, err = c.CallStream(ctx, command, event, request, f)
	}
	var refused *vici.Refused
	if errors.As(err, &refused) {
		return response, &status{exitFound, errors.New(refused.Reason)}
	}
	return response, err
}

// selectSA puts what an argument names into a request: ike7, child12, or a connection.
func selectSA(m *vici.Message, arg string) {
	if number, is := strings.CutPrefix(arg, "ike"); is && isNumber(number) {
		m.Set(vici.KeyIKEID, number)
		return
	}
	if number, is := strings.CutPrefix(arg, "child"); is && isNumber(number) {
		m.Set(vici.KeyChildID, number)
		return
	}
	m.Set(vici.KeyIKE, arg)
}

func isNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n != 0
}

// waiting are the options of a command that waits for what it asked for.
type waiting struct {
	timeout time.Duration
	noWait  bool
}

// set puts them into a request: a timeout is in whole milliseconds, 0 is none, -1 does not wait.
func (o *waiting) set(m *vici.Message) error {
	switch {
	case o.timeout < 0:
		return fmt.Errorf("--timeout %v is in the past; try: --no-wait", o.timeout)
	case o.noWait:
		m.Set(vici.KeyTimeout, "-1")
	case o.timeout > 0:
		m.Set(vici.KeyTimeout, strconv.FormatInt(max(o.timeout.Milliseconds(), 1), 10))
	}
	return nil
}

// logLine prints a line of the daemon's log; what a peer chose is quoted in it already.
func (a *app) logLine(m vici.Message) {
	switch {
	case a.json:
		_ = a.object(logJSON{V: 1, Type: "log", SA: "ike" + m.Get("ikesa-uniqueid"), Name: m.Get("ikesa-name"), Text: m.Get("msg")})
	case !a.quiet:
		fmt.Fprintln(a.out(), m.Get("msg"))
	}
}

type logJSON struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	Time string `json:"time,omitempty"`
	SA   string `json:"sa,omitempty"`
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}
