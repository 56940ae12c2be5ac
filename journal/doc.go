// Package journal keeps the steps of the daemon: opaque records by step number, the vault of sealed keys beside
// them, and snapshots, in files of which one is written and the others are closed.
//
// The central type is Journal: one goroutine appends to it and rolls it, any number read and follow it. A Reader
// reads what lies on the disk without the daemon, and Verify says whether it is whole. The package knows nothing of
// what a record means (proto/record does); it imports nothing of ours.
//
// A batch of records is one transaction and is durable when Append returns. The files are described, for those
// who read them with other tools, in docs/journal.md.
package journal
