package keys

// The keys of an IKE SA in the order prf+ makes them (RFC 7296, section 2.14), which is also how they are kept:
//
//	{SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr}

// layout cuts such a string. The slices are parts of it, not copies.
type layout struct {
	suite Suite
	keys  []byte
}

// octets is the length of the whole string.
func (s Suite) octets() int {
	return 3*prfLength(s.PRF) + 2*integs[s.Integ].key + 2*encrKeyOctets(s.Encr, s.KeyLength)
}

func (l layout) d() []byte { return l.keys[:prfLength(l.suite.PRF)] }

// integ is SK_ai for the SA's initiator, SK_ar for its responder; empty for an AEAD.
func (l layout) integ(initiator bool) []byte {
	return l.cut(prfLength(l.suite.PRF), integs[l.suite.Integ].key, initiator)
}

// encr is SK_ei or SK_er, salt included.
func (l layout) encr(initiator bool) []byte {
	from := prfLength(l.suite.PRF) + 2*integs[l.suite.Integ].key
	return l.cut(from, encrKeyOctets(l.suite.Encr, l.suite.KeyLength), initiator)
}

// proof is SK_pi or SK_pr.
func (l layout) proof(initiator bool) []byte {
	octets := prfLength(l.suite.PRF)
	return l.cut(l.suite.octets()-2*octets, octets, initiator)
}

func (l layout) cut(from, octets int, initiator bool) []byte {
	if !initiator {
		from += octets
	}
	return l.keys[from : from+octets]
}
