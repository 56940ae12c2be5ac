package reducer

import "github.com/ikejd/ikejd/proto/ike"

// NAT detection (RFC 7296, section 2.23): each end says by a hash where it believes the message goes from and to. Where
// what arrives does not fit, a NAT is between.

// natPayloads are the two notifies of an IKE_SA_INIT message of ours. With encap the source is said wrongly on purpose,
// so that the peer believes in a NAT and encapsulates.
func natPayloads(spii, spir uint64, p Path, encap bool) (source, destination ike.Notify) {
	from := ike.NATDetectionHash(spii, spir, p.Local)
	if encap {
		from = ike.NATDetectionHash(^spii, ^spir, p.Local)
	}
	to := ike.NATDetectionHash(spii, spir, p.Remote)
	return ike.Notify{Type: ike.NotifyNATDetectionSourceIP, Data: from[:]},
		ike.Notify{Type: ike.NotifyNATDetectionDestinationIP, Data: to[:]}
}

// detectNAT notes at sa which end is behind a NAT. Any of several sources may fit (a peer with several addresses says
// them all); hashes of another length are ignored; a peer that sends none cannot do NAT traversal (PROTOCOL.md, N-36).
func detectNAT(sa *IKESA, h ike.Header, payloads *ike.Payloads, p Path) {
	source := ike.NATDetectionHash(h.SPIi, h.SPIr, p.Remote)
	destination := ike.NATDetectionHash(h.SPIi, h.SPIr, p.Local)
	said, fits, here, hereFits := false, false, false, false
	for n := range notifies(payloads) {
		if len(n.Data) != len(source) {
			continue
		}
		switch n.Type {
		case ike.NotifyNATDetectionSourceIP:
			said, fits = true, fits || string(n.Data) == string(source[:])
		case ike.NotifyNATDetectionDestinationIP:
			here, hereFits = true, hereFits || string(n.Data) == string(destination[:])
		}
	}
	sa.RemoteNAT, sa.LocalNAT = said && !fits, here && !hereFits
}

// float moves the SA to the NAT ports from IKE_AUTH on, on the side that starts it (PROTOCOL.md, W-23). A peer whose
// configured port is not 500 stays there: it has no other that we know of.
func (t *step) float(sa *IKESA) {
	if !sa.LocalNAT && !sa.RemoteNAT {
		return
	}
	sa.Path.Local = withPort(sa.Path.Local, t.s.config.Settings.NATPort)
	if sa.Path.Remote.Port() == 500 {
		sa.Path.Remote = withPort(sa.Path.Remote, 4500)
	}
}
