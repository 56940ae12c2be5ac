package conf_test

import (
	"fmt"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
)

func Example() {
	config, problems := conf.LoadText("swanctl.conf", `
connections {
    gw {
        remote_addrs = 203.0.113.9
        propsals = default
        proposals = aes256gcm16-prfsha384-ecp384
        local { auth = psk
            id = gw-west.example.com }
        remote { auth = psk
            id = gw-east.example.com }
        children {
            net : child-defaults { remote_ts = 10.2.0.0/16 }
        }
    }
}
child-defaults { local_ts = 10.1.0.0/16 }
secrets { ike-east { secret = 0sAAECAwQFBgc= } }
ikejd { shutdown { budget = 1m } }
`)
	for _, p := range problems {
		fmt.Println(p)
	}
	gw := config.Connections[0]
	fmt.Println(gw.Name, gw.Proposals[0].Groups, gw.Children[0].LocalTS[0].High, config.Settings.Shutdown.Budget)
	fmt.Println(config.Secrets[0].Name, config.Secrets[0].Key)
	// Output:
	// swanctl.conf:5: unknown key "propsals" in connections.gw; did you mean "proposals"?
	// gw [20] 10.1.255.255 1m0s
	// ike-east (secret)
}
