package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record/text"
)

type listSAsOptions struct {
	connections bool
}

func newListSAs(a *app) *cobra.Command {
	var o listSAsOptions
	cmd := &cobra.Command{
		Use:   "list [SA…]",
		Short: "List the running daemon's SAs, or its connections",
		Long: `list asks the running daemon for its IKE SAs, each with its Child SAs below it. An SA is ike7, child12 or the name of a
connection. With --connections it lists what is configured, those loaded over the control socket included.

Exit status: 0 listed; 1 none of the SAs named is there; 2 no daemon answers.`,
		Example: "  ikejd list\n  ikejd list gw-east --json\n  ikejd list --connections",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.connections {
				return runListConnections(cmd.Context(), a, args)
			}
			return runListSAs(cmd.Context(), a, args)
		},
	}
	cmd.Flags().BoolVar(&o.connections, "connections", false, "what is configured, not what is up")
	return cmd
}

func runListSAs(ctx context.Context, a *app, args []string) error {
	requests := []vici.Message{{}}
	if len(args) > 0 {
		requests = make([]vici.Message, len(args))
	}
	var all []upSA
	for i := range requests {
		if len(args) > 0 {
			selectSA(&requests[i], args[i])
		}
		if _, err := a.ask(ctx, vici.CmdListSAs, vici.EventListSA, requests[i], func(m vici.Message) {
			for name, section := range m.Sections() {
				all = append(all, readSA(name, section))
			}
		}); err != nil {
			return err
		}
	}
	if len(all) == 0 && len(args) > 0 {
		return &status{exitFound, fmt.Errorf("no SA is up that %s names; try: ikejd journal ls %[1]s", strings.Join(args, " "))}
	}
	slices.SortStableFunc(all, func(x, y upSA) int { return int(x.number) - int(y.number) })
	all = slices.CompactFunc(all, func(x, y upSA) bool {
		return x.number == y.number && len(args) > 0 && len(x.Children) == len(y.Children)
	})
	if a.json {
		for i := range all {
			if err := a.object(&all[i]); err != nil {
				return err
			}
		}
		return nil
	}
	printSAs(a.out(), all)
	return nil
}

// upSA is an IKE SA that is up, as --json prints it.
type upSA struct {
	V           int       `json:"v"`
	Type        string    `json:"type"`
	SA          string    `json:"sa"`
	Name        string    `json:"name"`
	State       string    `json:"state"`
	Local       string    `json:"local"`
	Peer        string    `json:"peer"`
	LocalID     string    `json:"localIdentity"`
	Identity    string    `json:"identity"`
	Initiator   bool      `json:"initiator"`
	SPIi        string    `json:"spiI"`
	SPIr        string    `json:"spiR"`
	Suite       []string  `json:"suite,omitempty"`
	UpSeconds   uint64    `json:"upSeconds"`
	Active      []string  `json:"inFlight,omitempty"`
	Queued      []string  `json:"waiting,omitempty"`
	Children    []upChild `json:"children"`
	number      uint64
	established bool
}

type upChild struct {
	Child     string   `json:"child"`
	Name      string   `json:"name"`
	State     string   `json:"state"`
	Mode      string   `json:"mode"`
	Inbound   string   `json:"inbound"`
	Outbound  string   `json:"outbound"`
	Suite     []string `json:"suite,omitempty"`
	LocalTS   []string `json:"localTS"`
	RemoteTS  []string `json:"remoteTS"`
	BytesIn   uint64   `json:"bytesIn"`
	BytesOut  uint64   `json:"bytesOut"`
	UpSeconds uint64   `json:"upSeconds"`
}

// ourWords are strongSwan's names of states in ours, which are those of the journal.
var ourWords = map[string]string{"CONNECTING": "HalfOpen", "ESTABLISHED": "Established", "DELETING": "Deleting", "DESTROYING": "Lingering",
	"INSTALLING": "Installing", "INSTALLED": "Installed"}

func stateWord(m vici.Message) string {
	if word, known := ourWords[m.Get(vici.KeyState)]; known {
		return word
	}
	return m.Get(vici.KeyState)
}

func readSA(name string, m vici.Message) upSA {
	_, established := m.Lookup(vici.KeyEstablished)
	sa := upSA{V: 1, Type: "ike-sa", SA: "ike" + m.Get(vici.KeyUniqueID), Name: name, State: stateWord(m),
		Local: endpoint(m, vici.KeyLocalHost, vici.KeyLocalPort), Peer: endpoint(m, vici.KeyRemoteHost, vici.KeyRemotePort),
		LocalID: m.Get(vici.KeyLocalID), Identity: m.Get(vici.KeyRemoteID), Initiator: m.Get(vici.KeyInitiator) == vici.Yes,
		SPIi: m.Get(vici.KeyInitiatorSPI), SPIr: m.Get(vici.KeyResponderSPI), Suite: readSuite(m), UpSeconds: count(m, vici.KeyEstablished),
		Active: m.Values(vici.KeyTasksActive), Queued: m.Values(vici.KeyTasksQueued), Children: []upChild{},
		number: count(m, vici.KeyUniqueID), established: established}
	children, _ := m.Sub(vici.KeyChildSAs)
	for _, c := range children.Sections() {
		sa.Children = append(sa.Children, upChild{Child: "child" + c.Get(vici.KeyUniqueID), Name: c.Get(vici.KeyName), State: stateWord(c),
			Mode: strings.ToLower(c.Get(vici.KeyMode)), Inbound: c.Get(vici.KeySPIIn), Outbound: c.Get(vici.KeySPIOut), Suite: readSuite(c),
			LocalTS: c.Values(vici.KeyLocalTS), RemoteTS: c.Values(vici.KeyRemoteTS), BytesIn: count(c, vici.KeyBytesIn),
			BytesOut: count(c, vici.KeyBytesOut), UpSeconds: count(c, vici.KeyInstallTime)})
	}
	return sa
}

func endpoint(m vici.Message, host, port string) string {
	address := m.Get(host)
	if strings.Contains(address, ":") {
		address = "[" + address + "]"
	}
	return address + ":" + m.Get(port)
}

func readSuite(m vici.Message) []string {
	var suite []string
	for _, key := range []string{vici.KeyEncrAlg, vici.KeyIntegAlg, vici.KeyPRFAlg, vici.KeyDHGroup} {
		name, there := m.Lookup(key)
		if !there {
			continue
		}
		if bits, sized := m.Lookup(vici.KeyEncrKeysize); sized && key == vici.KeyEncrAlg {
			name += "-" + bits
		}
		suite = append(suite, name)
	}
	return suite
}

// count is a number of the daemon's; 0 where it has none.
func count(m vici.Message, key string) uint64 {
	n, err := strconv.ParseUint(m.Get(key), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// printSAs prints IKE SAs in columns, each with its children below it.
func printSAs(w io.Writer, all []upSA) {
	cells := [][]string{{"SA", "PEER", "NAME", "STATE", "UP", "IDENTITY", "WINDOW"}}
	for i := range all {
		sa := &all[i]
		up := "-"
		if sa.established {
			up = lasted(sa.UpSeconds)
		}
		cells = append(cells, []string{sa.SA, sa.Peer, dash(plain(sa.Name)), sa.State, up, text.Quote(sa.Identity), window(sa)})
		for _, c := range sa.Children {
			cells = append(cells, []string{"  " + c.Child, plain(strings.Join(c.RemoteTS, ",")), dash(plain(c.Name)), c.State, lasted(c.UpSeconds),
				fmt.Sprintf("in %s out %s", c.Inbound, c.Outbound), fmt.Sprintf("%s in, %s out", octets(c.BytesIn), octets(c.BytesOut))})
		}
	}
	columns(w, cells, -1)
}

// window is what is in flight, and what waits behind it.
func window(sa *upSA) string {
	if len(sa.Active)+len(sa.Queued) == 0 {
		return "idle"
	}
	said := strings.Join(sa.Active, " ")
	if len(sa.Queued) > 0 {
		said += " | " + strings.Join(sa.Queued, " ")
	}
	return said
}

// plain is a name of the configuration; one that could upset a terminal is quoted.
func plain(name string) string {
	if q := text.Quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}

// lasted is an age in its two largest units.
func lasted(seconds uint64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d/time.Hour%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d/time.Minute%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%ds", seconds)
}

// octets is a count of them in the largest unit that leaves it above 1.
func octets(n uint64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

type connectionJSON struct {
	V        int      `json:"v"`
	Type     string   `json:"type"`
	Name     string   `json:"name"`
	Local    []string `json:"local"`
	Remote   []string `json:"remote"`
	LocalID  string   `json:"localIdentity,omitempty"`
	Identity string   `json:"identity,omitempty"`
	Children []string `json:"children"`
}

func runListConnections(ctx context.Context, a *app, args []string) error {
	if len(args) > 1 {
		return errors.New("--connections lists all of them, or one; try: ikejd list --connections NAME")
	}
	var request vici.Message
	if len(args) == 1 {
		request.Set(vici.KeyIKE, args[0])
	}
	var all []connectionJSON
	if _, err := a.ask(ctx, vici.CmdListConns, vici.EventListConn, request, func(m vici.Message) {
		for name, c := range m.Sections() {
			all = append(all, readConnection(name, c))
		}
	}); err != nil {
		return err
	}
	if len(all) == 0 && len(args) > 0 {
		return &status{exitFound, fmt.Errorf("no connection %q is configured; try: ikejd list --connections", args[0])}
	}
	cells := [][]string{{"NAME", "LOCAL", "REMOTE", "IDENTITY", "CHILDREN"}}
	for _, c := range all {
		if a.json {
			if err := a.object(c); err != nil {
				return err
			}
			continue
		}
		identity := "any"
		if c.Identity != "" {
			identity = text.Quote(c.Identity)
		}
		cells = append(cells, []string{plain(c.Name), strings.Join(c.Local, ","), strings.Join(c.Remote, ","), identity, dash(plain(strings.Join(c.Children, " ")))})
	}
	if !a.json {
		columns(a.out(), cells, -1)
	}
	return nil
}

func readConnection(name string, m vici.Message) connectionJSON {
	local, _ := m.Sub("local-1")
	remote, _ := m.Sub("remote-1")
	c := connectionJSON{V: 1, Type: "connection", Name: name, Local: m.Values(vici.KeyLocalAddrs), Remote: m.Values(vici.KeyRemoteAddrs),
		LocalID: local.Get("id"), Identity: remote.Get("id"), Children: []string{}}
	children, _ := m.Sub("children")
	for child := range children.Sections() {
		c.Children = append(c.Children, child)
	}
	return c
}
