// Package model is a daemon in memory: the engine's loop, the keyring and the secrets as they are, over a kernel that
// carries no traffic, with randomness, time and the network given by whoever drives it.
//
// The central type is Daemon, one life of it. What outlives a life is given to each: the Kernel, the Epochs that seal the
// vault, and the journal. It is for the simulator (replay/simulate), which may import nothing else of effects.
package model
