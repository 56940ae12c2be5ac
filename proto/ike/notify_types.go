package ike

// The numbers of Notify payloads (RFC 7296, section 3.10.1, and the RFCs named below).

// NotifyType is what a Notify says. Under 16384 it is an error, from there on a status.
type NotifyType uint16

// IsError is true of types under 16384. An unknown error in a response makes the request fail, an unknown status never
// does anything (section 3.10.1).
func (t NotifyType) IsError() bool { return t < 16384 }

func (t NotifyType) String() string { return nameOf(notifyNames, "NOTIFY", t) }

// Errors: RFC 7296; 40 and 41 RFC 4555; 47 RFC 9370; 48 RFC 9611.
const (
	NotifyUnsupportedCriticalPayload NotifyType = 1
	NotifyInvalidIKESPI              NotifyType = 4
	NotifyInvalidMajorVersion        NotifyType = 5
	NotifyInvalidSyntax              NotifyType = 7
	NotifyInvalidMessageID           NotifyType = 9
	NotifyInvalidSPI                 NotifyType = 11
	NotifyNoProposalChosen           NotifyType = 14
	NotifyInvalidKEPayload           NotifyType = 17
	NotifyAuthenticationFailed       NotifyType = 24
	NotifySinglePairRequired         NotifyType = 34
	NotifyNoAdditionalSAs            NotifyType = 35
	NotifyInternalAddressFailure     NotifyType = 36
	NotifyFailedCPRequired           NotifyType = 37
	NotifyTSUnacceptable             NotifyType = 38
	NotifyInvalidSelectors           NotifyType = 39
	NotifyUnacceptableAddresses      NotifyType = 40
	NotifyUnexpectedNATDetected      NotifyType = 41
	NotifyTemporaryFailure           NotifyType = 43
	NotifyChildSANotFound            NotifyType = 44
	NotifyStateNotFound              NotifyType = 47
	NotifyTSMaxQueue                 NotifyType = 48
)

// Statuses of RFC 7296.
const (
	NotifyInitialContact            NotifyType = 16384
	NotifySetWindowSize             NotifyType = 16385
	NotifyAdditionalTSPossible      NotifyType = 16386
	NotifyIPCOMPSupported           NotifyType = 16387
	NotifyNATDetectionSourceIP      NotifyType = 16388
	NotifyNATDetectionDestinationIP NotifyType = 16389
	NotifyCookie                    NotifyType = 16390
	NotifyUseTransportMode          NotifyType = 16391
	NotifyHTTPCertLookupSupported   NotifyType = 16392
	NotifyRekeySA                   NotifyType = 16393
	NotifyESPTFCPaddingNotSupported NotifyType = 16394
	NotifyNonFirstFragmentsAlso     NotifyType = 16395
)

// Statuses of other RFCs, in the order of their numbers.
const (
	NotifyMOBIKESupported               NotifyType = 16396 // RFC 4555, to 16402
	NotifyAdditionalIP4Address          NotifyType = 16397
	NotifyAdditionalIP6Address          NotifyType = 16398
	NotifyNoAdditionalAddresses         NotifyType = 16399
	NotifyUpdateSAAddresses             NotifyType = 16400
	NotifyCookie2                       NotifyType = 16401
	NotifyNoNATsAllowed                 NotifyType = 16402
	NotifyAuthLifetime                  NotifyType = 16403 // RFC 4478
	NotifyMultipleAuthSupported         NotifyType = 16404 // RFC 4739
	NotifyAnotherAuthFollows            NotifyType = 16405
	NotifyRedirectSupported             NotifyType = 16406 // RFC 5685
	NotifyRedirect                      NotifyType = 16407
	NotifyRedirectedFrom                NotifyType = 16408
	NotifyTicketLTOpaque                NotifyType = 16409 // RFC 5723, to 16413
	NotifyTicketRequest                 NotifyType = 16410
	NotifyTicketACK                     NotifyType = 16411
	NotifyTicketNACK                    NotifyType = 16412
	NotifyTicketOpaque                  NotifyType = 16413
	NotifyLinkID                        NotifyType = 16414 // RFC 5739
	NotifyEAPOnlyAuthentication         NotifyType = 16417 // RFC 5998
	NotifyChildlessIKEv2Supported       NotifyType = 16418 // RFC 6023
	NotifyQuickCrashDetection           NotifyType = 16419 // RFC 6290
	NotifyMessageIDSyncSupported        NotifyType = 16420 // RFC 6311, to 16423
	NotifyReplayCounterSyncSupported    NotifyType = 16421
	NotifyMessageIDSync                 NotifyType = 16422
	NotifyReplayCounterSync             NotifyType = 16423
	NotifySecurePasswordMethods         NotifyType = 16424 // RFC 6467
	NotifyFragmentationSupported        NotifyType = 16430 // RFC 7383
	NotifySignatureHashAlgorithms       NotifyType = 16431 // RFC 7427
	NotifyCloneIKESASupported           NotifyType = 16432 // RFC 7791
	NotifyCloneIKESA                    NotifyType = 16433
	NotifyPuzzle                        NotifyType = 16434 // RFC 8019
	NotifyUsePPK                        NotifyType = 16435 // RFC 8784
	NotifyPPKIdentity                   NotifyType = 16436
	NotifyNoPPKAuth                     NotifyType = 16437
	NotifyIntermediateExchangeSupported NotifyType = 16438 // RFC 9242
	NotifyIP4Allowed                    NotifyType = 16439 // RFC 8983
	NotifyIP6Allowed                    NotifyType = 16440
	NotifyAdditionalKeyExchange         NotifyType = 16441 // RFC 9370
	NotifyUseAggfrag                    NotifyType = 16442 // RFC 9347
	NotifySupportedAuthMethods          NotifyType = 16443 // RFC 9593
	NotifySAResourceInfo                NotifyType = 16444 // RFC 9611
	NotifyUsePPKInt                     NotifyType = 16445 // RFC 9867
	NotifyPPKIdentityKey                NotifyType = 16446
)

var notifyNames = map[NotifyType]string{
	NotifyUnsupportedCriticalPayload: "UNSUPPORTED_CRITICAL_PAYLOAD", NotifyInvalidIKESPI: "INVALID_IKE_SPI",
	NotifyInvalidMajorVersion: "INVALID_MAJOR_VERSION", NotifyInvalidSyntax: "INVALID_SYNTAX",
	NotifyInvalidMessageID: "INVALID_MESSAGE_ID", NotifyInvalidSPI: "INVALID_SPI",
	NotifyNoProposalChosen: "NO_PROPOSAL_CHOSEN", NotifyInvalidKEPayload: "INVALID_KE_PAYLOAD",
	NotifyAuthenticationFailed: "AUTHENTICATION_FAILED", NotifySinglePairRequired: "SINGLE_PAIR_REQUIRED",
	NotifyNoAdditionalSAs: "NO_ADDITIONAL_SAS", NotifyInternalAddressFailure: "INTERNAL_ADDRESS_FAILURE",
	NotifyFailedCPRequired: "FAILED_CP_REQUIRED", NotifyTSUnacceptable: "TS_UNACCEPTABLE",
	NotifyInvalidSelectors: "INVALID_SELECTORS", NotifyUnacceptableAddresses: "UNACCEPTABLE_ADDRESSES",
	NotifyUnexpectedNATDetected: "UNEXPECTED_NAT_DETECTED", NotifyTemporaryFailure: "TEMPORARY_FAILURE",
	NotifyChildSANotFound: "CHILD_SA_NOT_FOUND", NotifyStateNotFound: "STATE_NOT_FOUND", NotifyTSMaxQueue: "TS_MAX_QUEUE",

	NotifyInitialContact: "INITIAL_CONTACT", NotifySetWindowSize: "SET_WINDOW_SIZE",
	NotifyAdditionalTSPossible: "ADDITIONAL_TS_POSSIBLE", NotifyIPCOMPSupported: "IPCOMP_SUPPORTED",
	NotifyNATDetectionSourceIP:      "NAT_DETECTION_SOURCE_IP",
	NotifyNATDetectionDestinationIP: "NAT_DETECTION_DESTINATION_IP", NotifyCookie: "COOKIE",
	NotifyUseTransportMode: "USE_TRANSPORT_MODE", NotifyHTTPCertLookupSupported: "HTTP_CERT_LOOKUP_SUPPORTED",
	NotifyRekeySA: "REKEY_SA", NotifyESPTFCPaddingNotSupported: "ESP_TFC_PADDING_NOT_SUPPORTED",
	NotifyNonFirstFragmentsAlso: "NON_FIRST_FRAGMENTS_ALSO",

	NotifyMOBIKESupported: "MOBIKE_SUPPORTED", NotifyAdditionalIP4Address: "ADDITIONAL_IP4_ADDRESS",
	NotifyAdditionalIP6Address: "ADDITIONAL_IP6_ADDRESS", NotifyNoAdditionalAddresses: "NO_ADDITIONAL_ADDRESSES",
	NotifyUpdateSAAddresses: "UPDATE_SA_ADDRESSES", NotifyCookie2: "COOKIE2", NotifyNoNATsAllowed: "NO_NATS_ALLOWED",
	NotifyAuthLifetime: "AUTH_LIFETIME", NotifyMultipleAuthSupported: "MULTIPLE_AUTH_SUPPORTED",
	NotifyAnotherAuthFollows: "ANOTHER_AUTH_FOLLOWS", NotifyRedirectSupported: "REDIRECT_SUPPORTED",
	NotifyRedirect: "REDIRECT", NotifyRedirectedFrom: "REDIRECTED_FROM", NotifyTicketLTOpaque: "TICKET_LT_OPAQUE",
	NotifyTicketRequest: "TICKET_REQUEST", NotifyTicketACK: "TICKET_ACK", NotifyTicketNACK: "TICKET_NACK",
	NotifyTicketOpaque: "TICKET_OPAQUE", NotifyLinkID: "LINK_ID",
	NotifyEAPOnlyAuthentication: "EAP_ONLY_AUTHENTICATION", NotifyChildlessIKEv2Supported: "CHILDLESS_IKEV2_SUPPORTED",
	NotifyQuickCrashDetection: "QUICK_CRASH_DETECTION", NotifyMessageIDSyncSupported: "IKEV2_MESSAGE_ID_SYNC_SUPPORTED",
	NotifyReplayCounterSyncSupported: "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED", NotifyMessageIDSync: "IKEV2_MESSAGE_ID_SYNC",
	NotifyReplayCounterSync: "IPSEC_REPLAY_COUNTER_SYNC", NotifySecurePasswordMethods: "SECURE_PASSWORD_METHODS",
	NotifyFragmentationSupported:  "IKEV2_FRAGMENTATION_SUPPORTED",
	NotifySignatureHashAlgorithms: "SIGNATURE_HASH_ALGORITHMS", NotifyCloneIKESASupported: "CLONE_IKE_SA_SUPPORTED",
	NotifyCloneIKESA: "CLONE_IKE_SA", NotifyPuzzle: "PUZZLE", NotifyUsePPK: "USE_PPK",
	NotifyPPKIdentity: "PPK_IDENTITY", NotifyNoPPKAuth: "NO_PPK_AUTH",
	NotifyIntermediateExchangeSupported: "INTERMEDIATE_EXCHANGE_SUPPORTED", NotifyIP4Allowed: "IP4_ALLOWED",
	NotifyIP6Allowed: "IP6_ALLOWED", NotifyAdditionalKeyExchange: "ADDITIONAL_KEY_EXCHANGE",
	NotifyUseAggfrag: "USE_AGGFRAG", NotifySupportedAuthMethods: "SUPPORTED_AUTH_METHODS",
	NotifySAResourceInfo: "SA_RESOURCE_INFO", NotifyUsePPKInt: "USE_PPK_INT", NotifyPPKIdentityKey: "PPK_IDENTITY_KEY",
}
