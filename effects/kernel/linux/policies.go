package linux

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// Child SAs with the same ends, mode and traffic share policies: the new one of a rekey is made before the old one is closed
// (RFC 7296, section 2.8), and the kernel has one policy for a selector. Together they are a group. Where groups want the same
// selector (a peer that came back from elsewhere), the last to come has it, and on its end the one before it.

// policies are the books of groups. Of what an earlier run installed they know what the kernel shows: a group that had lost a selector
// to another does not get it back.
type policies struct {
	conn   *xfrm.Conn
	groups map[uint32]*group
	named  map[string]*group
	claims map[place][]*group // the last is in the kernel
	newest uint32             // number given last
}

// place is where two policies meet: the kernel has one there.
type place struct {
	direction xfrm.PolicyDirection
	selector  xfrm.Selector
}

// group is the Child SAs that share policies.
type group struct {
	number   uint32
	name     string // ends, mode and traffic
	children int
	policies []xfrm.Policy
}

func newPolicies(conn *xfrm.Conn) policies {
	return policies{conn: conn, groups: map[uint32]*group{}, named: map[string]*group{}, claims: map[place][]*group{}}
}

// group is the one that a child belongs to, perhaps a new one, of which the books know nothing before claim.
func (p *policies) group(child *kernel.Child, key kernel.ChildKey, selectors []xfrm.Selector) (*group, error) {
	template := xfrm.Template{Src: key.Local, Dst: key.Remote, Protocol: uint8(key.Protocol), Mode: modeOf(child)}
	name := nameOf(template, selectors)
	if g := p.named[name]; g != nil {
		return g, nil
	}
	if len(p.groups) > int(maxGroup) {
		return nil, refuse(kernel.OpInstall, syscall.ENOSPC, key.InboundSPI, "%d sets of policies are all there can be; close Child SAs", len(p.groups))
	}
	number := p.newest
	for {
		if number = (number + 1) & maxGroup; p.groups[number] == nil {
			break
		}
	}
	return &group{number: number, name: name, policies: policiesOf(template, selectors, number)}, nil
}

// policiesOf are the policies of a group: out, in and, where packets come out of a tunnel and are not for this host, forward.
func policiesOf(template xfrm.Template, selectors []xfrm.Selector, number uint32) (all []xfrm.Policy) {
	out, in := template, template
	out.ReqID, in.ReqID = reqid(number, outbound), reqid(number, inbound)
	in.Src, in.Dst = in.Dst, in.Src
	for _, s := range selectors {
		back := s
		back.Src, back.Dst, back.SrcPort, back.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
		add := func(direction xfrm.PolicyDirection, selector xfrm.Selector, t xfrm.Template) {
			all = append(all, xfrm.Policy{Selector: selector, Direction: direction, Priority: priority(selector), Limits: xfrm.NoLimits, Templates: []xfrm.Template{t}})
		}
		add(xfrm.PolicyOut, s, out)
		add(xfrm.PolicyIn, back, in)
		if template.Mode == xfrm.Tunnel {
			add(xfrm.PolicyForward, back, in)
		}
	}
	return all
}

// nameOf is the same for the same ends, mode and outbound traffic, in whatever order.
func nameOf(t xfrm.Template, selectors []xfrm.Selector) string {
	lines := []string{fmt.Sprint(t.Protocol, t.Mode, t.Src, t.Dst)}
	for _, s := range selectors {
		lines = append(lines, fmt.Sprint(s))
	}
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

// claim counts one more Child SA of a group; the first brings the policies.
func (p *policies) claim(g *group) error {
	if g.children == 0 {
		p.groups[g.number], p.named[g.name], p.newest = g, g, g.number
		for i := range g.policies {
			if err := p.put(g, &g.policies[i]); err != nil {
				if undo := p.clear(g); undo != nil {
					return fmt.Errorf("%w; and %v", err, undo)
				}
				return err
			}
		}
	}
	g.children++
	return nil
}

// put makes a policy, in the place of another group's where there is one. One that is not in our books is somebody else's,
// and refuses ours.
func (p *policies) put(g *group, policy *xfrm.Policy) error {
	at := place{policy.Direction, policy.Selector}
	others := slices.DeleteFunc(slices.Clone(p.claims[at]), func(o *group) bool { return o == g }) // what an undoing left behind
	message := xfrm.NewPolicy(policy)
	if len(p.claims[at]) > 0 {
		message = xfrm.UpdatePolicy(policy)
	}
	if err := p.conn.Do(message); err != nil {
		return err
	}
	p.claims[at] = append(others, g)
	return nil
}

// release counts one Child SA less; the last takes the policies with it. After an error it is to be asked again.
func (p *policies) release(number uint32) error {
	g := p.groups[number]
	if g.children > 1 {
		g.children--
		return nil
	}
	return p.clear(g)
}

// clear removes the policies of a group, and the group.
func (p *policies) clear(g *group) error {
	for i := range g.policies {
		at := place{g.policies[i].Direction, g.policies[i].Selector}
		claims := p.claims[at]
		n := slices.Index(claims, g)
		if n < 0 {
			continue
		}
		rest := slices.Concat(claims[:n], claims[n+1:])
		var err error
		switch {
		case n < len(claims)-1: // another group's is in the kernel
		case len(rest) > 0:
			err = p.conn.Do(xfrm.UpdatePolicy(rest[len(rest)-1].at(at)))
		default:
			err = p.remove(&g.policies[i])
		}
		if err != nil {
			return err
		}
		if p.claims[at] = rest; len(rest) == 0 {
			delete(p.claims, at)
		}
	}
	delete(p.groups, g.number)
	if p.named[g.name] == g {
		delete(p.named, g.name)
	}
	return nil
}

// at is the policy of a group at a place that it has claimed.
func (g *group) at(at place) *xfrm.Policy {
	i := slices.IndexFunc(g.policies, func(p xfrm.Policy) bool { return place{p.Direction, p.Selector} == at })
	return &g.policies[i]
}
