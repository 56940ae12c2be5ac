package daemon

import (
	"fmt"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/linux"
	"github.com/ikejd/ikejd/effects/udp"
)

// dataplane opens what `--dataplane` names; xfrm is what kernel is on Linux.
func dataplane(name string) (kernel.Dataplane, error) {
	switch name {
	case "none":
		return kernel.NewModel(kernel.ModelConfig{}), nil
	case "kernel", "xfrm":
		plane, err := linux.Open()
		if err != nil {
			return nil, err
		}
		return plane, nil
	}
	return nil, fmt.Errorf("dataplane %q is not in this version; try: ikejd run --dataplane kernel, or none", name)
}

// udpConfig is what the sockets have to be. Beside a dataplane in the kernel they pass by its policies, which may be for the very traffic
// to the peer, and the NAT port leaves ESP in UDP to the kernel.
func (d *Daemon) udpConfig(now func() int64) udp.Config {
	_, inKernel := d.plane.(*linux.Dataplane)
	return udp.Config{Listen: d.options.Listen, Port: d.options.Port, NATPort: d.options.NATPort, Now: now, Bypass: inKernel, Encap: inKernel}
}
