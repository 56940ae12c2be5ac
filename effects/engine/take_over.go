package engine

import (
	"fmt"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/reducer"
)

// adopter is a dataplane that forgets what it holds when the process ends: the model.
type adopter interface {
	Adopt(kernel.ChildKey) error
}

// takeOver makes the kernel agree with the State of the run before. A dataplane that is empty after a restart is told what
// is installed, so that removing it later is not refused. One that is not may hold Child SAs whose removal was ordered and
// not done, or which were installed and not known to be (those are asked for again): they are removed (PROTOCOL.md, D-30).
func (c *children) takeOver(s reducer.State) error {
	plane := c.e.c.Dataplane
	adopts, forgetful := plane.(adopter)
	wanted := map[kernel.ChildKey]bool{}
	s.EachSA(0, func(sa *reducer.IKESA) bool {
		for _, child := range sa.Children {
			if child.Installed == 0 {
				continue
			}
			key := kernel.ChildKey{Protocol: ipProtocol(child.Protocol), Local: child.Path.Local.Addr().Unmap(),
				Remote: child.Path.Remote.Addr().Unmap(), InboundSPI: child.InboundSPI, OutboundSPI: child.OutboundSPI}
			wanted[key] = true
			if child.OutboundGone {
				c.halves[child.Number] = child.OutboundSPI
			}
			if forgetful {
				if err := adopts.Adopt(key); err != nil {
					c.e.c.Log.Warn("a child sa could not be taken over", "child", child.Number, "error", err)
				}
			}
		}
		return true
	})
	installed, err := plane.List()
	if err != nil {
		return fmt.Errorf("the kernel's child sas: %w; try: ikejd doctor", err)
	}
	for _, there := range installed {
		if wanted[there.Key] {
			continue
		}
		c.e.c.Log.Info("a child sa that no ike sa has any more is removed", "child", there.Key)
		if err := plane.Remove(there.Key); err != nil {
			c.e.c.Log.Warn("a child sa could not be removed", "child", there.Key, "error", err)
		}
	}
	return nil
}
