// Package conf reads the configuration: strongSwan's swanctl.conf grammar (a tree of sections and values, each with
// its file and line) and what it means to ikejd (Config). It reads files and nothing else: no socket, no key store.
//
// The central type is Config. Load reads a file with everything it includes and reports every problem found, each with
// file, line and what to write instead:
//
//	config, problems := conf.Load("/etc/ikejd/swanctl.conf")
//	for _, p := range problems {
//		fmt.Println(p) // swanctl.conf:12: unknown key "propsals" in connections.gw; did you mean "proposals"?
//	}
//
// ReadConnection gives one connection its meaning from a Section; FromMessage makes one of what `swanctl --load-all`
// sends over the socket. So a key means the same in a file and in a message.
//
// It imports proto/ike for the numbers of algorithms, effects/keys to know which of them this binary can compute,
// effects/creds for what identities and secrets are, and the vici package for the messages that stand for sections.
package conf
