// Package arch holds no code, only tests of what DESIGN asks of the whole tree: which folders there are, which way
// imports go, that the reducer is pure, that nothing but the window puts a message on the wire, and what files may
// look like. Its central type is tree, the repository as `go list` and `git ls-files` see it. It imports the standard
// library only. A rule that a program can check stands here and not on a page.
package arch
