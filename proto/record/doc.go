// Package record is the schema of the journal: the events the reducer is fed, the effects it orders, the Record of one
// step that holds both, and the Snapshot of a State. record.proto is the text to read; the Go types are made of it by
// the Go tool chain alone (go generate, and a test that fails when they are stale).
//
// The central type is Record: one step, one Record. Every Event carries Because, the edge to the effect it answers, and
// effects carry theirs where they have one, so that `ikejd why` never guesses.
//
// Encoding is canonical: deterministic marshalling, no maps, fields in order. The reducer writes its effects by hand
// (reducer/encode.go), wire-compatible with these types; a test there holds the two together.
//
// It imports nothing of ours.
package record

//go:generate go run ./gen

import "google.golang.org/protobuf/proto"

// Schema is the version of record.proto that this binary writes. It reads every older one.
const Schema = 1

// Marshal is the canonical encoding of m: equal messages are equal bytes.
func Marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// MarshalAppend is Marshal behind dst.
func MarshalAppend(dst []byte, m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, m)
}
