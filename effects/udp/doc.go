// Package udp is how IKE messages reach the wire: the sockets of the IKE port and of the NAT port, for
// IPv4 and IPv6.
//
// The central type is Sockets. It knows of RFC 3948 what it must (the non-ESP marker, keepalives,
// ESP-in-UDP), of K-11 where nothing may be sent, and of IKE nothing but the length of its header.
//
// It imports nothing of ours.
package udp
