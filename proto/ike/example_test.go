package ike_test

import (
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
)

// A message is read from the outside in, and each step may end it.
func Example() {
	request := ike.AppendMessage(nil,
		ike.Header{SPIi: 0x1122334455667788, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator},
		ike.SA{Proposals: []ike.Proposal{{Number: 1, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
			{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 256},
			{Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
			{Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)},
		}}}},
		ike.KeyExchange{Group: ike.GroupCurve25519, Data: make([]byte, 32)},
		ike.Nonce{Data: make([]byte, 32)},
	)

	h, err := ike.ParseHeader(request)
	if err == nil {
		err = h.CheckLength(len(request))
	}
	var payloads ike.Payloads
	if err == nil {
		err = ike.ParsePayloads(h.NextPayload, request[ike.HeaderLen:], &payloads)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Exchange, ike.DescribeMessage(h, h.NextPayload, request[ike.HeaderLen:]))
	if payload, ok := payloads.First(ike.PayloadSA); ok {
		sa, err := ike.ParseSA(payload.Body)
		fmt.Println(sa.Proposals[0].Transforms, err)
	}
	_, err = ike.ParseNonce([]byte("short"))
	fmt.Println(err)
	// Output:
	// IKE_SA_INIT {SAi1 KEi Ni}
	// [ENCR_AES_GCM_16_256 PRF_HMAC_SHA2_256 Curve25519] <nil>
	// malformed: nonce is not 16 to 256 octets
}
