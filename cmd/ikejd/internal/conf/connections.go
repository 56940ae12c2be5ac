package conf

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
)

const (
	ikePort          = 500
	defaultIKERekey  = 4 * time.Hour
	tenthOf          = 10 // over_time and life_time are a tenth longer
	connectionsName  = "connections"
	connectionAdvice = "write: connections { gw { remote_addrs = 203.0.113.9 ... } }"
)

// ReadConnection gives a section of `connections { }`, or of a load-conn message, its meaning.
func ReadConnection(s *Section) (Connection, []Problem) {
	var r report
	c := readConnection(&r, s)
	return c, r.problems
}

func readConnections(r *report, root *Section) []Connection {
	section := root.Sub(connectionsName)
	if section == nil {
		return nil
	}
	newReader(r, section, connectionsName, nil).refuseValues(connectionAdvice)
	connections := make([]Connection, 0, len(section.Sections))
	for _, sub := range section.Sections {
		connections = append(connections, readConnection(r, sub))
	}
	return connections
}

// refuseValues reports values in a section that holds only sections.
func (r *reader) refuseValues(advice string) {
	for _, v := range r.section.Values {
		r.fail(v.Pos, "a value where only sections may be", advice)
	}
}

func readConnection(report *report, s *Section) Connection {
	r := newReader(report, s, connectionsName+"."+s.Name, connectionKeys)
	r.checkKeys("children", "local*", "remote*")
	c := Connection{
		Name:          s.Name,
		Pos:           s.Pos,
		LocalAddrs:    parseHosts(r, "local_addrs"),
		RemoteAddrs:   parseHosts(r, "remote_addrs"),
		LocalPort:     r.port("local_port"),
		RemotePort:    r.port("remote_port"),
		Proposals:     parseProposals(r, "proposals", false),
		DPDDelay:      r.time("dpd_delay", 0),
		ReauthTime:    r.time("reauth_time", 0),
		Mobike:        r.bool("mobike", true),
		Encap:         r.bool("encap", false),
		KeyingTries:   int(r.number("keyingtries", 1, math.MaxInt32)),
		Unique:        choose(r, "unique", UniqueNo, uniqueWords),
		SendCert:      choose(r, "send_cert", SendCertIfAsked, sendCertWords),
		Childless:     choose(r, "childless", ChildlessAllow, childlessWords),
		Fragmentation: choose(r, "fragmentation", FragmentationYes, fragmentationWords),
	}
	choose(r, "version", 2, versionWords)
	rekey := defaultIKERekey
	if c.ReauthTime > 0 {
		rekey = 0
	}
	c.RekeyTime = r.time("rekey_time", rekey)
	c.OverTime = r.time("over_time", max(c.RekeyTime, c.ReauthTime)/tenthOf)
	c.RandTime = r.time("rand_time", c.OverTime)
	r.checkRand("rand_time", c.RandTime, "rekey_time", c.RekeyTime)
	r.checkRand("rand_time", c.RandTime, "reauth_time", c.ReauthTime)
	c.Local = readAuth(r, "local", localKeys)
	c.Remote = readAuth(r, "remote", remoteKeys)
	c.Children = readChildren(r)
	for _, child := range c.Children {
		if child.StartAction == StartInitiate && !c.CanInitiate() {
			report.add(child.Pos, Error, r.path+".children."+child.Name, "start_action = start",
				"remote_addrs names no single address to start with; add one, or write start_action = none")
		}
	}
	return c
}

// CanInitiate says whether there is a single address or name that we can send a first request to.
func (c *Connection) CanInitiate() bool {
	return slices.ContainsFunc(c.RemoteAddrs, func(h Host) bool { return h.Addr.IsValid() || h.Name != "" })
}

func (r *reader) port(key string) uint16 {
	port := r.number(key, ikePort, math.MaxUint16)
	if v, set := r.section.Lookup(key); set && port == 0 {
		r.fail(v.Pos, key+" = 0", "remove it, or write the port the socket is bound to")
	}
	return uint16(port)
}

// checkRand: what is taken off at random must leave something.
func (r *reader) checkRand(randKey string, random time.Duration, key string, after time.Duration) {
	if v, set := r.section.Lookup(randKey); set && after > 0 && random >= after {
		r.fail(v.Pos, randKey+" is not below "+key, "make it smaller, such as a tenth of "+key)
	}
}

var versionWords = []choice[int]{
	{word: "2", value: 2},
	{word: "0", value: 2},
	{word: "1", refuse: "IKEv1 is not supported (RFC 9395 deprecates it); write 2, and set the peer to IKEv2"},
}

var uniqueWords = []choice[Unique]{
	{word: "no", value: UniqueNo}, {word: "never", value: UniqueNever},
	{word: "keep", value: UniqueKeep}, {word: "replace", value: UniqueReplace},
}

var sendCertWords = []choice[SendCert]{
	{word: "ifasked", value: SendCertIfAsked}, {word: "always", value: SendCertAlways}, {word: "never", value: SendCertNever},
}

var childlessWords = []choice[Childless]{
	{word: "allow", value: ChildlessAllow}, {word: "prefer", value: ChildlessPrefer},
	{word: "force", value: ChildlessForce}, {word: "never", value: ChildlessNever},
}

var fragmentationWords = []choice[Fragmentation]{
	{word: "yes", value: FragmentationYes}, {word: "accept", value: FragmentationAccept},
	{word: "force", value: FragmentationForce}, {word: "no", value: FragmentationNo},
}

// readAuth reads local<suffix> or remote<suffix>. There is one round: RFC 4739 is not built.
func readAuth(c *reader, end string, keys []KeyDoc) Auth {
	var rounds []*Section
	for _, sub := range c.section.Sections {
		if strings.HasPrefix(sub.Name, end) {
			rounds = append(rounds, sub)
		}
	}
	if len(rounds) == 0 {
		c.fail(c.section.Pos, "no "+end+" section", "write: "+end+" { auth = psk id = gw.example.com }, a key on each line")
		return Auth{}
	}
	for _, extra := range rounds[1:] {
		c.fail(extra.Pos, "a second round of authentication, "+extra.Name, "multiple authentication (RFC 4739) is not built; leave one "+end+" section")
	}
	r := newReader(c.report, rounds[0], c.path+"."+rounds[0].Name, keys)
	auth := Auth{Pos: rounds[0].Pos}
	if r.readMethod(end) {
		auth.Method = PSK
		r.checkKeys("cert*", "cacert*")
		for _, sub := range rounds[0].Sections {
			if strings.HasPrefix(sub.Name, "cert") || strings.HasPrefix(sub.Name, "cacert") {
				r.fail(sub.Pos, "section "+sub.Name, noCertificates)
			}
		}
	}
	auth.readID(r, end)
	return auth
}

// readID reads whom this end claims, or must prove, to be.
func (a *Auth) readID(r *reader, end string) {
	v, set := r.section.Lookup("id")
	if !set {
		return
	}
	idType, data, err := creds.ParseID(v.Text)
	switch {
	case err != nil:
		r.failError(v.Pos, err, "write a name, user@example.com, an address, or one with its type, such as keyid:#0a0b")
	case idType != 0:
		a.ID, a.Wire = v.Text, creds.ID{Type: idType, Data: data}
	case end == "local":
		r.fail(v.Pos, "id = "+shown(v), "our own identity must be one; write it, or remove the line for our address")
	}
}

// readMethod says whether auth is one that is built. Where it is not, the keys beside it belong to that method, and
// nothing more is said about them.
func (r *reader) readMethod(end string) bool {
	v, set := r.section.Lookup("auth")
	method := strings.ToLower(v.Text)
	switch {
	case !set:
		r.fail(r.section.Pos, "no auth", "its default is pubkey, which is not built; write auth = psk, and the key in secrets { }")
	case method == "psk":
		return true
	case hasMethod(method, "eap"), hasMethod(method, "xauth"):
		r.failValue(v, errEAP)
	case hasMethod(method, "pubkey"), hasMethod(method, "rsa"), hasMethod(method, "ecdsa"), hasMethod(method, "bliss"),
		hasMethod(method, "ed25519"), hasMethod(method, "ed448"), hasMethod(method, "any"):
		r.failValue(v, errPubkey)
	default:
		r.failValue(v, errAuth)
	}
	return false
}

// hasMethod compares the name before the first constraint: "pubkey-sha384", "rsa/pss-sha256", "ike:rsa-sha256",
// "rsa-4096-sha512", "eap-mschapv2".
func hasMethod(auth, method string) bool {
	auth = strings.TrimPrefix(auth, "ike:")
	end := strings.IndexAny(auth, "-/: ")
	if end < 0 {
		end = len(auth)
	}
	return auth[:end] == method
}
