// Package cli is the commands of ikejd: what they are called, their options, help and exit statuses (REPLAY-UX.md, "What
// every command has in common"). What they do lies in other packages; a command here reads arguments, calls, prints.
//
// The central type is app: one call of the program, with its streams and the options that all commands share. A command
// is a file: newX has flags, help and an example, runX is plain Go that a test calls. Run is all that main knows.
//
// It may import everything of ours; only cmd/ikejd imports it.
package cli
