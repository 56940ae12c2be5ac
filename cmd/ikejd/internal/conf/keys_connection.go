package conf

const (
	noCertificates = "only auth = psk is built, and without certificates this would not be checked; remove it"
	noPPK          = "post-quantum pre-shared keys (RFC 8784) are not built, and without them the keys would be weaker; remove it"
	noInterfaceID  = "XFRM interface ids are not built, and without them traffic would take another way; use policies without ids"
	noMediation    = "the mediation extension is not built; connect the peers directly"
	noVirtualIP    = "virtual addresses are not built, and the tunnel would be set up for other addresses; name subnets in local_ts and remote_ts"
	ikev1Only      = "it belongs to IKEv1; remove it"
	noRekeying     = "SAs are rekeyed by time only in this version: bytes and packets are not counted"
	noLifetime     = "lifetimes are by time only in this version, and keys would be used for longer than this allows; remove it, and set life_time"
	noEAP          = "EAP is not built; use auth = psk"
)

// The keys of swanctl.conf(5), connections.<conn>.
var connectionKeys = []KeyDoc{
	{Name: "version", Default: "2", Doc: "IKE version: 2, or 0 for the same. IKEv1 is not supported."},
	{Name: "local_addrs", Default: "%any", Doc: "Our addresses: addresses, subnets, ranges, names, %any. We initiate from the first single address."},
	{Name: "remote_addrs", Default: "%any", Doc: "The peer's addresses, likewise. Without a single address or name the connection only answers."},
	{Name: "local_port", Default: "500", Doc: "UDP port we initiate from. From 500 IKE moves to 4500 behind a NAT."},
	{Name: "remote_port", Default: "500", Doc: "UDP port of the peer."},
	{Name: "proposals", Default: "default", Doc: "Algorithms for IKE, proposals separated by commas, algorithms by dashes: aes256gcm16-prfsha384-ecp384. \"default\" stands for a list of safe ones."},
	{Name: "dpd_delay", Default: "0s", Doc: "Check that the peer lives after this much silence; 0 never."},
	{Name: "rekey_time", Default: "4h", Doc: "After so long the IKE SA is rekeyed; 0 is never."},
	{Name: "reauth_time", Default: "0s", Use: Ignored, Neutral: []string{"0", "0s"}, Why: "nobody is authenticated again in this version; IKE SAs are rekeyed, by rekey_time"},
	{Name: "over_time", Default: "10% of the longer of rekey_time and reauth_time", Doc: "So long after rekey_time an IKE SA that could not be rekeyed is deleted."},
	{Name: "rand_time", Default: "over_time", Doc: "Up to so much is taken off rekey_time by chance, so that two ends rarely rekey at once."},
	{Name: "unique", Default: "no", Doc: "What a new IKE SA of the same identities does to older ones: no (the peer's INITIAL_CONTACT closes them), never (nothing), keep (the new one is refused), replace (they are closed)."},
	{Name: "mobike", Default: "yes", Use: Ignored, Neutral: []string{"no"}, Why: "MOBIKE is not built: a peer behind a NAT is followed, others must keep their address"},
	{Name: "encap", Default: "no", Doc: "Put ESP into UDP without a NAT too."},
	{Name: "keyingtries", Default: "1", Doc: "How many times a whole series of retransmissions is tried to set an IKE SA up; 0 for ever."},
	{Name: "send_cert", Default: "ifasked", Use: Ignored, Neutral: []string{"ifasked", "always", "never"}, Why: "auth = psk shows no certificate; remove it"},
	{Name: "childless", Default: "allow", Use: Refused, Neutral: []string{"allow", "prefer", "never"}, Why: "an IKE SA is set up with its first child (RFC 6023 is not built); remove it"},
	{Name: "fragmentation", Default: "yes", Use: Ignored, Neutral: []string{"no"}, Why: "IKE fragments (RFC 7383) are not built; messages with a pre-shared key fit into one datagram"},

	{Name: "dpd_timeout", Use: Ignored, Neutral: []string{"0", "0s"}, Why: "IKEv2 gives a silent peer up by retransmission; set ikejd.retransmit.sends instead"},
	{Name: "aggressive", Use: Ignored, Neutral: []string{"no"}, Why: ikev1Only},
	{Name: "pull", Use: Ignored, Neutral: []string{"yes"}, Why: ikev1Only},
	{Name: "dscp", Use: Ignored, Neutral: []string{"000000"}, Why: "IKE messages are sent with DSCP 0; mark them in the firewall"},
	{Name: "send_certreq", Use: Ignored, Neutral: []string{"yes", "no"}, Why: "certificates are not built; remove it"},
	{Name: "ocsp", Use: Ignored, Neutral: []string{"never"}, Why: "certificates are not built; remove it"},
	{Name: "vips", Use: Refused, Why: noVirtualIP},
	{Name: "pools", Use: Refused, Why: noVirtualIP},
	{Name: "ppk_id", Use: Refused, Why: noPPK},
	{Name: "ppk_required", Use: Refused, Neutral: []string{"no"}, Why: noPPK},
	{Name: "if_id_in", Use: Refused, Neutral: []string{"0"}, Why: noInterfaceID},
	{Name: "if_id_out", Use: Refused, Neutral: []string{"0"}, Why: noInterfaceID},
	{Name: "mediation", Use: Refused, Neutral: []string{"no"}, Why: noMediation},
	{Name: "mediated_by", Use: Refused, Why: noMediation},
	{Name: "mediation_peer", Use: Refused, Why: noMediation},
}

var (
	authDoc  = KeyDoc{Name: "auth", Default: "pubkey", Doc: "How this end proves who it is: psk, a key both ends know. pubkey, eap and xauth are not built, so auth must be set."}
	roundDoc = KeyDoc{Name: "round", Use: Ignored, Neutral: []string{"0"}, Why: "one round is all there is; remove it"}
)

// The keys of connections.<conn>.local<suffix>. What only certificates or EAP use is no more than noise beside auth =
// psk.
var localKeys = []KeyDoc{
	authDoc,
	{Name: "id", Doc: "Our identity: an address, a name, user@domain, a distinguished name, or with a type before it, such as keyid:#0a0b. Our address where it is not set."},
	roundDoc,
	{Name: "certs", Use: Ignored, Why: "auth = psk shows no certificate; remove it"},
	{Name: "pubkeys", Use: Ignored, Why: "auth = psk shows no public key; remove it"},
	{Name: "eap_id", Use: Ignored, Why: noEAP},
	{Name: "aaa_id", Use: Refused, Why: noEAP},
	{Name: "xauth_id", Use: Ignored, Why: ikev1Only},
}

// The keys of connections.<conn>.remote<suffix>. Most of them narrow whom we accept: they are never ignored.
var remoteKeys = []KeyDoc{
	authDoc,
	{Name: "id", Default: "%any", Doc: "The peer's identity, written as ours is; %any for whoever has a key."},
	roundDoc,
	{Name: "eap_id", Use: Refused, Why: noEAP},
	{Name: "groups", Use: Refused, Why: noCertificates},
	{Name: "cert_policy", Use: Refused, Why: noCertificates},
	{Name: "certs", Use: Refused, Why: noCertificates},
	{Name: "cacerts", Use: Refused, Why: noCertificates},
	{Name: "ca_id", Use: Refused, Why: noCertificates},
	{Name: "pubkeys", Use: Refused, Why: noCertificates},
	{Name: "revocation", Use: Refused, Neutral: []string{"relaxed"}, Why: noCertificates},
}
