// Package demo is the story that `ikejd demo` tells: two daemons on loopback, a wire between them that loses what the
// story wants lost, a kill -9, a recovery, a shutdown, and what the journals say of it afterwards. It needs no root, no
// network, and about ten seconds.
//
// The central type is Story. Each daemon is a real `ikejd run` in a process of its own; the wire is the only thing made
// up. It drives them as an operator would, by the control socket, signals and the commands that read a journal.
package demo
