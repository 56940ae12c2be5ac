package conf

// Proposal is one proposal of `proposals` or `esp_proposals`, in the numbers of IANA's IKEv2 transform registries, each list in
// order of preference.
type Proposal struct {
	Encr   []Cipher
	PRF    []uint16 // IKE only
	Integ  []uint16 // empty where every cipher is an AEAD
	Groups []uint16 // key exchange methods; may be empty for ESP (no new key exchange at rekeying)
	ESN    []uint16 // ESP only: 0 without, 1 with extended sequence numbers
}

// Cipher is an encryption algorithm with its key length.
type Cipher struct {
	ID        uint16
	KeyLength uint16 // bits; 0 where the algorithm takes no Key Length attribute (ChaCha20-Poly1305)
}
