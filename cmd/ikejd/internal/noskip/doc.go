// Noskip reads what `go test -json` prints and says what a person wants to know: a line a package, the whole output
// of each test that failed, and each test that was left out, with its reason. Its exit status is 1 when anything
// failed; under CI (environment variable CI not empty) also when anything was left out, or when no test ran at all.
//
//	go test -json ./... | go run ./cmd/ikejd/internal/noskip
//
// Its central type is event, one line of that stream. It imports the standard library only.
package main
