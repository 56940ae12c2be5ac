package ike

// The Authentication payload (RFC 7296, section 3.8), and inside it the signature of RFC 7427, section 3.

// AuthMethod is how AUTH was made.
type AuthMethod uint8

// Authentication methods: RFC 7296 section 3.8; 9 to 11 RFC 4754, 12 RFC 6467, 13 RFC 7619, 14 RFC 7427.
const (
	AuthRSA              AuthMethod = 1
	AuthSharedKey        AuthMethod = 2
	AuthDSS              AuthMethod = 3
	AuthECDSA256         AuthMethod = 9
	AuthECDSA384         AuthMethod = 10
	AuthECDSA521         AuthMethod = 11
	AuthGSPM             AuthMethod = 12
	AuthNull             AuthMethod = 13
	AuthDigitalSignature AuthMethod = 14
)

func (m AuthMethod) String() string { return nameOf(authNames, "AUTH", m) }

var authNames = map[AuthMethod]string{
	AuthRSA: "RSA", AuthSharedKey: "PSK", AuthDSS: "DSS", AuthECDSA256: "ECDSA_256", AuthECDSA384: "ECDSA_384",
	AuthECDSA521: "ECDSA_521", AuthGSPM: "GSPM", AuthNull: "NULL", AuthDigitalSignature: "DIGITAL_SIGNATURE",
}

// HashAlgorithm is a number of SIGNATURE_HASH_ALGORITHMS.
type HashAlgorithm uint16

// Hash algorithms: RFC 7427 section 7; Identity RFC 8420 section 2.
const (
	HashSHA1     HashAlgorithm = 1
	HashSHA2_256 HashAlgorithm = 2
	HashSHA2_384 HashAlgorithm = 3
	HashSHA2_512 HashAlgorithm = 4
	HashIdentity HashAlgorithm = 5
)

func (h HashAlgorithm) String() string { return nameOf(hashNames, "HASH", h) }

var hashNames = map[HashAlgorithm]string{
	HashSHA1: "SHA1", HashSHA2_256: "SHA2-256", HashSHA2_384: "SHA2-384", HashSHA2_512: "SHA2-512",
	HashIdentity: "Identity",
}

// Auth is an AUTH payload. Empty data is well formed and proves nothing (PROTOCOL.md N-47).
type Auth struct {
	Method AuthMethod
	Data   []byte
}

const (
	errAuthShort     = Malformed("AUTH payload cut short")
	errAuthAlgorithm = Malformed("AUTH algorithm identifier is empty or too long")
)

// ParseAuth reads an AUTH payload's body.
func ParseAuth(body []byte) (Auth, error) {
	if len(body) < 4 {
		return Auth{}, errAuthShort
	}
	return Auth{Method: AuthMethod(body[0]), Data: body[4:]}, nil
}

// PayloadType is AUTH.
func (Auth) PayloadType() PayloadType { return PayloadAUTH }

// AppendBody writes the AUTH payload.
func (a Auth) AppendBody(dst []byte) []byte {
	return append(append(dst, byte(a.Method), 0, 0, 0), a.Data...)
}

// ParseSignature splits the data of an AUTH of method AuthDigitalSignature: the DER of an AlgorithmIdentifier, then the
// signature. The former must be there; the latter is whatever is left.
func ParseSignature(data []byte) (algorithm, signature []byte, err error) {
	if len(data) == 0 || data[0] == 0 || int(data[0]) > len(data)-1 {
		return nil, nil, errAuthAlgorithm
	}
	end := 1 + int(data[0])
	return data[1:end:end], data[end:], nil
}

// AppendSignature writes what ParseSignature reads. algorithm is at most 255 octets.
func AppendSignature(dst, algorithm, signature []byte) []byte {
	dst = append(append(dst, count8(len(algorithm), "octets of algorithm identifier")), algorithm...)
	return append(dst, signature...)
}
