package linux

import (
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// Policies as the kernel has them. It has one for a selector, whatever the priority, and who updates replaces: what is there now may be
// somebody else's.

// isIts says whether a policy of the kernel is that of a group of ours.
func isIts(there *xfrm.Policy) (number uint32, ok bool) {
	if len(there.Templates) != 1 || there.Direction > xfrm.PolicyForward {
		return 0, false
	}
	return isOurs(there.Templates[0].ReqID)
}

// remove ends a policy of ours. That it is gone already, or has become somebody else's, is as good.
func (p *policies) remove(policy *xfrm.Policy) error {
	var there xfrm.Policy
	err := p.conn.Ask(xfrm.GetPolicy(policy.ID()), func(_ uint16, body []byte) (err error) {
		there, err = xfrm.DecodePolicy(body)
		return err
	})
	number, mine := isIts(&there)
	want, _ := isIts(policy)
	if err != nil || !mine || number != want {
		return ignore(err, syscall.ENOENT)
	}
	return p.removeIndex(&there)
}

func (p *policies) removeIndex(there *xfrm.Policy) error {
	return ignore(p.conn.Do(xfrm.DeletePolicy(xfrm.PolicyID{Index: there.Index, Direction: there.Direction})), syscall.ENOENT)
}

// dump gives all policies of ours.
func (p *policies) dump() (all []xfrm.Policy, err error) {
	err = p.conn.Dump(xfrm.DumpPolicies(), func() { all = nil }, func(_ uint16, body []byte) error {
		there, err := xfrm.DecodePolicy(body)
		if _, ok := isIts(&there); ok {
			all = append(all, there)
		}
		return err
	})
	return all, err
}

// takeOver learns the groups that have Child SAs (used: how many each), and removes the policies of others.
func (p *policies) takeOver(used map[uint32]int) error {
	all, err := p.dump()
	if err != nil {
		return err
	}
	for number, children := range used {
		p.groups[number] = &group{number: number, children: children}
	}
	for i := range all {
		there := all[i]
		number, _ := isIts(&there)
		g := p.groups[number]
		if g == nil {
			if err := p.removeIndex(&there); err != nil {
				return err
			}
			continue
		}
		there.Index, there.Usage = 0, xfrm.Usage{}
		g.policies = append(g.policies, there)
		at := place{there.Direction, there.Selector}
		p.claims[at] = append(p.claims[at], g)
	}
	for _, g := range p.groups {
		var template xfrm.Template
		var selectors []xfrm.Selector
		for _, policy := range g.policies {
			if policy.Direction == xfrm.PolicyOut {
				template = policy.Templates[0]
				selectors = append(selectors, policy.Selector)
			}
		}
		g.name = nameOf(template, selectors)
		p.named[g.name] = g
		p.newest = max(p.newest, g.number)
	}
	return nil
}
