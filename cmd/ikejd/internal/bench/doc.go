// Package bench is the load generator of `ikejd bench`: it sets up any number of IKE SAs, each with a Child SA, against
// any IKEv2 responder with a pre-shared key and X25519, holds and probes them, answers what the responder asks meanwhile,
// deletes them, and says at what rate and after how long the responder answered.
//
// The central type is generator: a light initiator. Its key shares are made before the clock starts, it keeps no
// journal and installs nothing, so that it takes less of the machine than the responder it loads; what it takes itself
// is in its Report, and beside it what the cryptography alone costs at the same time on the same cores.
//
// It may import proto/ike and effects; cmd/ikejd/internal/cli imports it.
package bench
