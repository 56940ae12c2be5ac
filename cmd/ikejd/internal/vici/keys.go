package vici

// The names of commands, events and keys, as strongSwan 5.9.8's swanctl sends and prints them and as its daemon
// answers: observed on the wire, and described in strongSwan's vici README. Times are whole seconds and numbers are
// decimal, both as text; SPIs are lower-case hexadecimal without 0x, 16 digits for IKE and 8 for ESP. A key that does
// not apply is left out.

// The two values of every yes-or-no key. Where a state is "no" strongSwan mostly leaves the key out.
const (
	Yes = "yes"
	No  = "no"
)

// Keys that responses share. A streaming command answers with an empty message, which is success too.
const (
	KeySuccess = "success" // Yes or No
	KeyErrmsg  = "errmsg"  // why not, where success is No
)

// Commands without a request that changes anything.
const (
	CmdVersion   = "version"       // {} => daemon, version, sysname, release, machine
	CmdStats     = "stats"         // {} => see KeyUptime and those after it
	CmdListSAs   = "list-sas"      // ike, ike-id, child, child-id (filters), noblock => streams list-sa
	CmdListPols  = "list-policies" // trap, drop, pass (yes), child, ike => streams list-policy
	CmdListConns = "list-conns"    // ike (filter) => streams list-conn
	CmdListCerts = "list-certs"    // type, flag, subject => streams list-cert
	CmdListAuths = "list-authorities"
	CmdGetAlgs   = "get-algorithms" // {} => encryption {AES_CBC=plugin}, integrity {}, aead {}, prf {}, dh {}
	CmdCounters  = "get-counters"   // all or name => counters { <conn or ""> {ike-rekey-init=0 ...} }, success
)

// Commands about SAs. initiate and terminate stream control-log while they wait. timeout is in milliseconds: without
// it, or 0, they wait for the end; -1 answers at once. swanctl sends loglevel=1 and --timeout in milliseconds.
const (
	CmdInitiate  = "initiate"  // child and/or ike, timeout, init-limits, loglevel => success, errmsg
	CmdTerminate = "terminate" // child, ike, child-id, ike-id, force, timeout, loglevel => success, matches, terminated, errmsg
	CmdRekey     = "rekey"     // child, ike, child-id, ike-id, reauth => success, matches, errmsg; does not wait
)

// Commands of swanctl --load-all, in the order it sends them. What get-* names and swanctl's file does not have, it
// unloads: so get-* must name only what came over the socket, not what our own configuration file holds.
const (
	CmdGetKeys     = "get-keys"      // {} => keys=[id of private key]
	CmdGetShared   = "get-shared"    // {} => keys=[id of shared secret]
	CmdLoadShared  = "load-shared"   // id=ike-1, type=ike (lower case), data=octets already decoded, owners=[identity] => success
	CmdUnloadKey   = "unload-key"    // id => success
	CmdUnloadShare = "unload-shared" // id => success, also where there is none
	CmdGetAuths    = "get-authorities"
	CmdUnloadAuth  = "unload-authority" // name => success
	CmdGetPools    = "get-pools"        // leases=yes or nothing => { <pool> {...} }; empty where there are none
	CmdGetConns    = "get-conns"        // {} => conns=[name]
	CmdLoadConn    = "load-conn"        // { <conn> {...} } => success, errmsg: the section of the file, lists as lists
	CmdUnloadConn  = "unload-conn"      // name => success, errmsg where there is none
	CmdClearCreds  = "clear-creds"      // {} => success; sent first by --clear
	CmdFlushCerts  = "flush-certs"      // type => success
	CmdReload      = "reload-settings"  // {} => success
)

// Events that answer a command.
const (
	EventListSA     = "list-sa"     // { <conn> { SA keys, child-sas { <child>-<uniqueid> { child keys } } } }, one IKE SA each
	EventListPolicy = "list-policy" // { <conn>/<child> { child, ike, mode, local-ts=[], remote-ts=[] } }
	EventListConn   = "list-conn"   // { <conn> {...} }, see the connection keys
	EventListCert   = "list-cert"
	EventControlLog = "control-log" // group, level, ikesa-name, ikesa-uniqueid, msg
)

// Events that come by themselves. Their IKE SA is as in list-sa, child-sas only where it is said.
const (
	EventLog         = "log"          // as control-log, with thread
	EventIKEUpdown   = "ike-updown"   // up=yes (left out when it goes), { <conn> {SA} }
	EventChildUpdown = "child-updown" // up=yes (left out when it goes), { <conn> {SA with child-sas of the one child} }
	EventIKERekey    = "ike-rekey"    // { <conn> { old {SA}, new {SA} } }
	EventChildRekey  = "child-rekey"  // { <conn> {SA, child-sas { <child name, no number> { old {child}, new {child} } } } }
)

// Keys of an IKE SA, in strongSwan's order. swanctl --list-sas prints those marked (p); it also prints uniqueid,
// version, state and the SPIs in any state, local-host and remote-host with their port in brackets.
const (
	KeyUniqueID     = "uniqueid"      // (p) the number of ikeN: initiate and terminate name SAs by it, as ike-id
	KeyVersion      = "version"       // (p) "2"
	KeyState        = "state"         // (p) CREATED CONNECTING ESTABLISHED REKEYING REKEYED DELETING DESTROYING
	KeyLocalHost    = "local-host"    // (p)
	KeyLocalPort    = "local-port"    // (p)
	KeyLocalID      = "local-id"      // (p) "%any" while unknown
	KeyRemoteHost   = "remote-host"   // (p)
	KeyRemotePort   = "remote-port"   // (p)
	KeyRemoteID     = "remote-id"     // (p)
	KeyInitiator    = "initiator"     // (p) yes puts the * behind the SPI of the initiator
	KeyInitiatorSPI = "initiator-spi" // (p)
	KeyResponderSPI = "responder-spi" // (p) zeros while unknown
	KeyNATLocal     = "nat-local"
	KeyNATRemote    = "nat-remote"
	KeyNATAny       = "nat-any"
	KeyEncrAlg      = "encr-alg"     // (p) AES_GCM_16, AES_CBC, CHACHA20_POLY1305; children too
	KeyEncrKeysize  = "encr-keysize" // (p) bits, left out where the algorithm has one size; children too
	KeyIntegAlg     = "integ-alg"    // (p) HMAC_SHA2_256_128, not with an AEAD; children too
	KeyPRFAlg       = "prf-alg"      // (p) PRF_HMAC_SHA2_256
	KeyDHGroup      = "dh-group"     // (p) CURVE_25519, ECP_256, MODP_3072; children: only where rekeyed with one
	KeyEstablished  = "established"  // (p) seconds since
	KeyRekeyTime    = "rekey-time"   // (p) seconds until; children too
	KeyReauthTime   = "reauth-time"  // (p) seconds until
	KeyTasksQueued  = "tasks-queued" // (p) list of names, left out where empty; likewise the next two
	KeyTasksActive  = "tasks-active" // (p)
	KeyTasksPassive = "tasks-passive"
	KeyChildSAs     = "child-sas" // (p) section, there even when empty
)

// Keys of a Child SA that an IKE SA has not, in strongSwan's order between the shared ones.
const (
	KeyName        = "name"     // (p) of the configuration
	KeyReqID       = "reqid"    // (p)
	KeyMode        = "mode"     // (p) TUNNEL TRANSPORT
	KeyProtocol    = "protocol" // (p) ESP
	KeyEncap       = "encap"    // (p) yes: printed as TUNNEL-in-UDP
	KeySPIIn       = "spi-in"   // (p)
	KeySPIOut      = "spi-out"  // (p)
	KeyESN         = "esn"      // (p) "1"
	KeyBytesIn     = "bytes-in" // (p)
	KeyPacketsIn   = "packets-in"
	KeyUseIn       = "use-in" // (p) seconds since the last packet, left out before the first
	KeyBytesOut    = "bytes-out"
	KeyPacketsOut  = "packets-out"
	KeyUseOut      = "use-out"
	KeyLifeTime    = "life-time"    // (p) seconds until
	KeyInstallTime = "install-time" // (p) seconds since
	KeyLocalTS     = "local-ts"     // (p) list: "10.1.0.0/24", "10.1.0.0/24[tcp/http]"; of a connection's child too
	KeyRemoteTS    = "remote-ts"    // (p)
)

// Keys of requests and short responses.
const (
	KeyIKE        = "ike"
	KeyIKEID      = "ike-id"
	KeyChild      = "child"
	KeyChildID    = "child-id"
	KeyTimeout    = "timeout"
	KeyLogLevel   = "loglevel"
	KeyForce      = "force"
	KeyReauth     = "reauth"
	KeyMatches    = "matches"    // SAs that fit the request
	KeyTerminated = "terminated" // of those, how many ended
	KeyConns      = "conns"
	KeyKeys       = "keys"
	KeyAuths      = "authorities"
	KeyUp         = "up"
)

// Keys of list-conn, in strongSwan's order: then local-1 {id, class="pre-shared key", groups=[], cert_policy=[],
// certs=[], cacerts=[]}, remote-1 likewise, and children { <child> {mode, rekey_time, rekey_bytes, rekey_packets,
// dpd_action, close_action, local-ts=[], remote-ts=[]} }.
const (
	KeyLocalAddrs  = "local_addrs"  // list, "%any"
	KeyRemoteAddrs = "remote_addrs" // list
	KeyConnReauth  = "reauth_time"  // seconds, 0: never
	KeyConnRekey   = "rekey_time"
	KeyConnUnique  = "unique" // UNIQUE_NO UNIQUE_NEVER UNIQUE_KEEP UNIQUE_REPLACE
	KeyDPDDelay    = "dpd_delay"
)

// Keys of stats. swanctl --stats prints all of them, empty where they are missing, but mallinfo only where it is there.
const (
	KeyUptime    = "uptime"    // section: running="3 minutes", since="Nov 25 02:39:57 2026"
	KeyWorkers   = "workers"   // section: total, idle, active {critical, high, medium, low}
	KeyQueues    = "queues"    // section: critical, high, medium, low
	KeyScheduled = "scheduled" // timers
	KeyIKESAs    = "ikesas"    // section: total, half-open
	KeyPlugins   = "plugins"   // list
)
