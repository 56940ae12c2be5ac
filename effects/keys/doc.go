// Package keys owns every secret an IKE SA has, and does whatever needs one: key exchange, key derivation, sealing
// and opening of SK and SKF payloads, the shared-key AUTH value, KEYMAT for Child SAs. The rest of the daemon names
// a secret by its KeyRef, a number, and never sees it.
//
// The central type is Keyring. A KeyRef begins as half a key exchange (MakeShare, MakeInit), becomes the keys of an
// IKE SA once (Agree), seals and opens messages, and ends at Destroy. Its vault entry (Export, Import) survives a
// crash, sealed under an epoch key (Epochs) that is never in the same file as the entry.
//
// The package imports proto/ike for the layout of messages and nothing else of ours.
package keys
