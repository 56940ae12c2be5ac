// Package creds keeps what proves identities: for now pre-shared keys, found by the pair of identities that use them.
// The central type is Store. An identity's text becomes its wire form in ParseID, a secret's in ParseSecret.
//
// The reducer asks whether an AUTH is good and never sees what proves it; nothing here prints a secret, in whatever
// format it is asked to. The package imports proto/ike for the ID types and nothing else of ours.
package creds
