package audit

// Why a rule of the catalogue is not built yet.
const (
	needsRekey   = "needs CREATE_CHILD_SA: no rekeying and no further Child SAs yet"
	needsCapture = "needs a capture taken at the same host"
	needsReducer = "runs the reducer, which this package must not know: ikejd replay does it"
	needsPieces  = "needs fragments (RFC 7383)"
	needsMOBIKE  = "needs MOBIKE (RFC 4555)"
	needsBoth    = "compares the journals of two nodes: the simulator has them both"
)

// Absent is each rule of the catalogue that waits, with the reason. The next issues empty it.
var Absent = map[string]string{
	"ORD-02":  needsCapture,
	"WIN-11":  "needs the synchronisation of message ids (RFC 6311)",
	"RTX-07":  needsPieces,
	"RTX-10":  "the schema has no event for a send that failed",
	"RTX-11":  needsPieces,
	"COL-03":  needsRekey,
	"COL-04":  needsRekey,
	"COL-05":  needsRekey,
	"COL-06":  needsRekey,
	"COL-07":  needsBoth,
	"COL-09":  needsRekey,
	"COL-10":  needsRekey,
	"REK-01":  needsRekey,
	"REK-02":  needsRekey,
	"REK-03":  needsRekey,
	"REK-04":  needsRekey,
	"REK-05":  needsRekey,
	"REK-06":  needsRekey,
	"REK-07":  needsRekey,
	"REK-08":  needsRekey,
	"KRN-04":  "the schema has no listing of the kernel in Recovered",
	"KRN-05":  "the schema has no expire and acquire events",
	"KRN-06":  "the schema has no effects for policies",
	"AUTH-07": "needs EAP",
	"DOS-06":  needsPieces,
	"DOS-07":  "answers to unknown SPIs are the door's and not in the journal: needs a capture",
	"NAT-04":  needsMOBIKE,
	"NAT-05":  "keepalives are not in the journal: " + needsCapture,
	"SHU-09":  "the end of a socket is not in the journal: " + needsCapture,
	"JRN-03":  needsReducer,
	"JRN-04":  needsReducer + "; AUD-03 compares a snapshot with what the rules count",
	"JRN-05":  "batches are below the records: ikejd journal verify checks them",
	"REC-04":  needsBoth,
	"AUD-02":  needsCapture,
}
