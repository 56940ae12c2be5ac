package conf

const (
	noMarks   = "marks are not built, and without them policies would catch other traffic; tell the children apart by local_ts and remote_ts"
	noLabels  = "security labels are not built, and without them the SA would serve traffic of every label; remove it"
	noOffload = "offload to hardware is not built; the kernel encrypts"
	noHeaders = "the outer header is made as the kernel does it; remove it"
)

// The keys of swanctl.conf(5), connections.<conn>.children.<child>.
var childKeys = []KeyDoc{
	{Name: "local_ts", Default: "dynamic", Doc: "Our traffic: subnets, ranges or addresses, or dynamic for our address, each with [proto/port] if wanted: 10.1.0.0/16[tcp/80-90]."},
	{Name: "remote_ts", Default: "dynamic", Doc: "The peer's traffic, likewise."},
	{Name: "esp_proposals", Default: "default", Doc: "Algorithms for ESP, written as for IKE, without a PRF. A key exchange in them is used for rekeying and children made later; esn and noesn choose the sequence numbers."},
	{Name: "mode", Default: "tunnel", Doc: "tunnel or transport."},
	{Name: "rekey_time", Default: "1h", Doc: "After so long the Child SA is rekeyed; 0 is never."},
	{Name: "life_time", Default: "rekey_time + 10%", Doc: "After so long the Child SA is deleted, rekeyed or not; 0 is never."},
	{Name: "rand_time", Default: "life_time - rekey_time", Doc: "Up to so much is taken off rekey_time by chance, so that two ends rarely rekey at once."},
	{Name: "rekey_bytes", Default: "0", Use: Ignored, Neutral: []string{"0"}, Why: noRekeying},
	{Name: "life_bytes", Default: "rekey_bytes + 10%", Use: Refused, Neutral: []string{"0"}, Why: noLifetime},
	{Name: "rand_bytes", Default: "life_bytes - rekey_bytes", Use: Ignored, Neutral: []string{"0"}, Why: noRekeying},
	{Name: "rekey_packets", Default: "0", Use: Ignored, Neutral: []string{"0"}, Why: noRekeying},
	{Name: "life_packets", Default: "rekey_packets + 10%", Use: Refused, Neutral: []string{"0"}, Why: noLifetime},
	{Name: "rand_packets", Default: "life_packets - rekey_packets", Use: Ignored, Neutral: []string{"0"}, Why: noRekeying},
	{Name: "start_action", Default: "none", Doc: "What is done when the configuration is loaded: none, or start."},
	{Name: "dpd_action", Default: "clear", Doc: "What is done when the peer has gone silent: clear (nothing more), or restart."},
	{Name: "close_action", Default: "none", Doc: "What is done when the peer closed the child: none, or start."},
	{Name: "inactivity", Default: "0s", Use: Ignored, Neutral: []string{"0", "0s"}, Why: "no child is closed for being idle; remove it"},
	{Name: "replay_window", Default: "32", Use: Ignored, Neutral: []string{"32"}, Why: "the window is 32 packets; remove it"},

	{Name: "updown", Use: Ignored, Why: "no script is run; what it opens in the firewall must be opened otherwise, and events say when a child comes and goes"},
	{Name: "hostaccess", Use: Ignored, Neutral: []string{"no"}, Why: "it only speaks to an updown script, and none is run"},
	{Name: "ipcomp", Use: Ignored, Neutral: []string{"no"}, Why: "compression is never negotiated; remove it"},
	{Name: "sha256_96", Use: Ignored, Neutral: []string{"no"}, Why: "SHA-256 is cut to 128 bits as RFC 4868 says; correct the peer"},
	{Name: "policies_fwd_out", Use: Ignored, Neutral: []string{"no"}, Why: "no such policy is installed; remove it"},
	{Name: "reqid", Use: Ignored, Neutral: []string{"0"}, Why: "ikejd numbers its own; remove it"},
	{Name: "hw_offload", Use: Ignored, Neutral: []string{"no", "auto"}, Why: noOffload},
	{Name: "per_cpu_sas", Use: Ignored, Neutral: []string{"no"}, Why: "one SA a child is made (no RFC 9611); remove it"},
	{Name: "icmp", Use: Ignored, Neutral: []string{"no"}, Why: "ICMP errors from within are not let through; remove it"},
	{Name: "copy_df", Use: Ignored, Neutral: []string{"yes"}, Why: noHeaders},
	{Name: "copy_ecn", Use: Ignored, Neutral: []string{"yes"}, Why: noHeaders},
	{Name: "copy_dscp", Use: Ignored, Neutral: []string{"out"}, Why: noHeaders},

	{Name: "ah_proposals", Use: Refused, Why: "AH is not built; use esp_proposals"},
	{Name: "tfc_padding", Use: Refused, Neutral: []string{"0"}, Why: "padding against traffic analysis is not built, and without it lengths would show; remove it"},
	{Name: "policies", Use: Refused, Neutral: []string{"yes"}, Why: "policies are always installed; remove it"},
	{Name: "priority", Use: Refused, Neutral: []string{"0"}, Why: "policies get their priority from their selectors, and another order would catch other traffic; remove it"},
	{Name: "interface", Use: Refused, Why: "policies cannot be bound to an interface; remove it"},
	{Name: "mark_in", Use: Refused, Neutral: []string{"0", "0/0x00000000"}, Why: noMarks},
	{Name: "mark_out", Use: Refused, Neutral: []string{"0", "0/0x00000000"}, Why: noMarks},
	{Name: "mark_in_sa", Use: Refused, Neutral: []string{"no"}, Why: noMarks},
	{Name: "set_mark_in", Use: Refused, Neutral: []string{"0", "0/0x00000000"}, Why: noMarks},
	{Name: "set_mark_out", Use: Refused, Neutral: []string{"0", "0/0x00000000"}, Why: noMarks},
	{Name: "if_id_in", Use: Refused, Neutral: []string{"0"}, Why: noInterfaceID},
	{Name: "if_id_out", Use: Refused, Neutral: []string{"0"}, Why: noInterfaceID},
	{Name: "label", Use: Refused, Why: noLabels},
	{Name: "label_mode", Use: Ignored, Neutral: []string{"system"}, Why: "there are no labels; remove it"},
}
