// Package daemon wires an ikejd together and runs it: configuration, secrets, sockets, keyring, journal, engine and the
// control socket. Its central type is Daemon.
//
// It decides nothing about an SA: what an operator asks for becomes an event, and what the State holds is what is listed.
package daemon
