package ike

// The Vendor ID payload (RFC 7296, section 3.12): any octets, which mean something to those who know them and may be
// ignored by all others.

// VendorID is one Vendor ID payload.
type VendorID struct {
	Data []byte
}

// ParseVendorID reads a Vendor ID payload's body. Nothing about it can be wrong.
func ParseVendorID(body []byte) (VendorID, error) { return VendorID{Data: body}, nil }

// PayloadType is Vendor ID.
func (VendorID) PayloadType() PayloadType { return PayloadVendorID }

// AppendBody writes the Vendor ID payload.
func (v VendorID) AppendBody(dst []byte) []byte { return append(dst, v.Data...) }
