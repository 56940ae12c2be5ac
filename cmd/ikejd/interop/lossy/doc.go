// Lossy is a bad network for IKE tests: it sits between two peers and drops, repeats, reorders and
// delays their datagrams, from a seed or by an explicit plan.
//
// Proxy mode (-proxy, for loopback or namespaces) relays UDP. The peers see lossy's addresses, so they
// detect a NAT and float to port 4500, which therefore needs a pair of its own:
//
//	lossy -proxy 127.0.0.3:500=127.0.0.2:500 -proxy 127.0.0.3:4500=127.0.0.2:4500 -drop 0.2 -seed 7
//
// Wire mode (-wire, needs root) joins two Ethernet interfaces, so that addresses, ports and NAT
// detection are left alone:
//
//	lossy -wire in0,out0 -drop 0.2 -seed 7
//
// Direction a is from the side that listens (proxy) or the first interface (wire) to the other; b is
// back. Each direction has its own random stream and takes a fixed number of values from it per
// datagram: the n-th datagram of a direction meets the same fate in every run with the same seed,
// whatever the timing. -plan overrides single datagrams, by number or by what they are:
//
//	a3=drop                    the third of direction a
//	b:INFORMATIONAL:2=drop     the first INFORMATIONAL message with id 2 of direction b
//	b:INFORMATIONAL=dup        the first INFORMATIONAL message, whatever its id
//	b:INFORMATIONAL:2*=drop    every one of them, so that no retransmission helps
//
// The fates are drop, dup, hold and pass. With -only-plan nothing else is touched. By kind is what a
// test should use: a slow peer's retransmission shifts the numbers.
//
// Only IKE counts by default: port 500, and on port 4500 what begins with the non-ESP marker (four zero
// octets). ESP in UDP and NAT keepalives pass untouched and uncounted unless -all is given. In proxy
// mode the port that counts is the target's; other target ports are taken for plain IKE.
//
// -pcap P writes P.sent.pcap (what came in) and P.delivered.pcap (what went out), raw IP packets.
// It prints "ready" when it is listening, and on SIGTERM or SIGINT a line of JSON with its counts.
package main
