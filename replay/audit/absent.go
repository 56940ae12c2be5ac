package audit

// Why a rule of the catalogue is not built yet.
const (
	needsRekey  = "needs CREATE_CHILD_SA: no rekeying and no further Child SAs yet"
	needsPieces = "needs fragments (RFC 7383)"
	needsMOBIKE = "needs MOBIKE (RFC 4555)"
)

// Absent is each rule of the catalogue that waits, with the reason. The next issues empty it.
var Absent = map[string]string{
	"WIN-11":  "needs the synchronisation of message ids (RFC 6311)",
	"RTX-07":  needsPieces,
	"RTX-10":  "the schema has no event for a send that failed",
	"RTX-11":  needsPieces,
	"COL-03":  needsRekey,
	"COL-04":  needsRekey,
	"COL-05":  needsRekey,
	"COL-06":  needsRekey,
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
	"NAT-04":  needsMOBIKE,
}
