package journal

import (
	"encoding/hex"
)

// A Link is one link of the chain: the SHA-256 of the link before and of one batch.
type Link [32]byte

// String is the link in hex.
func (l Link) String() string { return hex.EncodeToString(l[:]) }

// A Position is the end of a journal: its last step, that step's time (UTC nanoseconds) and the head of the chain.
// It is the zero value while nothing was appended.
type Position struct {
	Step uint64
	Time int64
	Head Link
}

// A Batch is what one Append makes durable: records of the steps First, First+1, ... and the changes to the vault
// that these steps made. A batch without records changes only the vault; its First and Time say nothing then.
type Batch struct {
	First   uint64
	Time    int64 // UTC nanoseconds of the last record
	Records [][]byte
	Vault   []VaultChange
}

// A VaultChange puts an entry, sealed by the caller, or destroys it where Sealed is nil.
type VaultChange struct {
	Ref    uint64
	Sealed []byte
}

// An Entry is one record as read; Data belongs to the reader. Seal is set on the last record of each batch, and nil
// on the others.
type Entry struct {
	Step uint64
	Data []byte
	Seal *Seal
}

// A Seal closes a batch: Link is the chain after it, Prev the chain before it. It proves the records First to Last
// once the reader has computed Link from them and from Prev.
type Seal struct {
	First, Last uint64
	Time        int64
	Prev, Link  Link
}
