// Command docgen makes what is documented from what is: manual pages of the commands from their help, and
// docs/configuration.md from the table of keys that the parser itself reads. `go generate ./...` runs it, and `make check`
// fails where its output is stale.
package main

//go:generate go run .
