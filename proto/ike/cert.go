package ike

// The Certificate and Certificate Request payloads (RFC 7296, sections 3.6 and 3.7).

// CertEncoding is the form of what a CERT payload holds, or of what a CERTREQ asks for.
type CertEncoding uint8

// Certificate encodings: RFC 7296 section 3.6; OCSP RFC 4806, raw public key RFC 7670.
const (
	CertPKCS7         CertEncoding = 1
	CertX509Signature CertEncoding = 4
	CertCRL           CertEncoding = 7
	CertX509Attribute CertEncoding = 10
	CertHashURL       CertEncoding = 12
	CertHashURLBundle CertEncoding = 13
	CertOCSP          CertEncoding = 14
	CertRawPublicKey  CertEncoding = 15
)

func (e CertEncoding) String() string { return nameOf(certNames, "CERT", e) }

var certNames = map[CertEncoding]string{
	CertPKCS7: "PKCS7", CertX509Signature: "X509", CertCRL: "CRL", CertX509Attribute: "X509_ATTRIBUTE",
	CertHashURL: "HASH_URL", CertHashURLBundle: "HASH_URL_BUNDLE", CertOCSP: "OCSP", CertRawPublicKey: "RAW_PUBLIC_KEY",
}

// Certificate is one CERT payload. The first of a message is of the key that signs AUTH, the others in no order.
type Certificate struct {
	Encoding CertEncoding
	Data     []byte
}

// CertRequest is one CERTREQ payload. Of the X.509 encodings Authorities is SHA-1 hashes of trusted keys, 20 octets
// each, end to end; it may be empty. It is a hint (section 3.7), so one that does not divide by 20 is no error.
type CertRequest struct {
	Encoding    CertEncoding
	Authorities []byte
}

const errCertEmpty = Malformed("CERT or CERTREQ payload without an encoding")

// ParseCertificate reads a CERT payload's body. What is inside is for effects/creds.
func ParseCertificate(body []byte) (Certificate, error) {
	if len(body) == 0 {
		return Certificate{}, errCertEmpty
	}
	return Certificate{Encoding: CertEncoding(body[0]), Data: body[1:]}, nil
}

// PayloadType is CERT.
func (Certificate) PayloadType() PayloadType { return PayloadCERT }

// AppendBody writes the CERT payload.
func (c Certificate) AppendBody(dst []byte) []byte {
	return append(append(dst, byte(c.Encoding)), c.Data...)
}

// ParseCertRequest reads a CERTREQ payload's body.
func ParseCertRequest(body []byte) (CertRequest, error) {
	if len(body) == 0 {
		return CertRequest{}, errCertEmpty
	}
	return CertRequest{Encoding: CertEncoding(body[0]), Authorities: body[1:]}, nil
}

// PayloadType is CERTREQ.
func (CertRequest) PayloadType() PayloadType { return PayloadCERTREQ }

// AppendBody writes the CERTREQ payload.
func (r CertRequest) AppendBody(dst []byte) []byte {
	return append(append(dst, byte(r.Encoding)), r.Authorities...)
}
