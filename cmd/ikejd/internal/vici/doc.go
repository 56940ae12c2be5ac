// Package vici speaks strongSwan's vici protocol, so that the stock swanctl and existing exporters drive ikejd: the
// wire format (Packet, Message), a Server on a unix socket and a Client for our own commands. It knows nothing of IKE:
// what a command does is a handler that cmd/ikejd registers. keys.go lists the names that swanctl sends and prints.
//
// The central type is Message, an ordered tree of key/value pairs, lists and sections.
//
// It imports nothing of ours.
package vici
