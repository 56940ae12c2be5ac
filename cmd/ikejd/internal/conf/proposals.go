package conf

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Proposal is one proposal of `proposals` or `esp_proposals`, in the numbers of IANA's IKEv2 transform registries, each
// list in order of preference.
// Invariant: the ciphers are all AEADs and Integ is empty, or none is and Integ is not.
type Proposal struct {
	Encr   []Cipher
	PRF    []uint16 // IKE only
	Integ  []uint16
	Groups []uint16 // key exchange methods; ESP: may be empty (no key exchange of its own) or hold 0 (NONE, it is optional)
	ESN    []uint16 // ESP only: 0 without, 1 with extended sequence numbers
}

// Cipher is an encryption algorithm with its key length.
type Cipher struct {
	ID        uint16
	KeyLength uint16 // bits; 0 where the algorithm takes no Key Length attribute (ChaCha20-Poly1305)
}

var (
	defaultGroups = []uint16{uint16(ike.GroupCurve25519), uint16(ike.GroupECP256), uint16(ike.GroupECP384),
		uint16(ike.GroupECP521), uint16(ike.GroupMODP3072), uint16(ike.GroupMODP4096), uint16(ike.GroupMODP2048)}
	defaultPRFs   = []uint16{ike.PRFHMACSHA2_256, ike.PRFHMACSHA2_384, ike.PRFHMACSHA2_512}
	defaultIntegs = []uint16{ike.IntegHMACSHA2_256_128, ike.IntegHMACSHA2_384_192, ike.IntegHMACSHA2_512_256}
	defaultAEADs  = []Cipher{{ike.EncrAESGCM16, 256}, {ike.EncrAESGCM16, 128}, {ike.EncrChaCha20Poly1305, 0}}
	defaultCBCs   = []Cipher{{ike.EncrAESCBC, 256}, {ike.EncrAESCBC, 128}}
)

// defaultProposals are what "default" stands for: AEADs first, then CBC with an HMAC for peers without. For ESP no key
// exchange of its own, like most peers.
func defaultProposals(esp bool) []Proposal {
	aead := Proposal{Encr: defaultAEADs}
	cbc := Proposal{Encr: defaultCBCs, Integ: defaultIntegs}
	for _, p := range []*Proposal{&aead, &cbc} {
		if esp {
			p.ESN = []uint16{ike.SN32}
		} else {
			p.PRF, p.Groups = defaultPRFs, defaultGroups
		}
	}
	return []Proposal{aead, cbc}
}

// parseProposals reads the list under key. Every proposal with an error is reported and left out.
func parseProposals(r *reader, key string, esp bool) []Proposal {
	v, ok := r.section.Lookup(key)
	if !ok {
		return defaultProposals(esp)
	}
	var proposals []Proposal
	for _, text := range v.List() {
		if text == "default" {
			proposals = append(proposals, defaultProposals(esp)...)
			continue
		}
		fail := func(what, advice string) {
			r.fail(v.Pos, what+" in "+key+" = "+shown(Value{Text: text}), advice)
		}
		if p, ok := parseProposal(text, esp, fail); ok {
			proposals = append(proposals, p)
		}
	}
	return proposals
}

// additional is a further key exchange of RFC 9370, ke1_ to ke7_.
var additional = regexp.MustCompile(`^ke[1-7]_`)

// parseProposal reads words separated by dashes. ok is false where fail was called.
func parseProposal(text string, esp bool, fail func(what, advice string)) (p Proposal, ok bool) {
	ok = true
	refuse := func(what, advice string) {
		fail(what, advice)
		ok = false
	}
	for word := range strings.SplitSeq(strings.ToLower(text), "-") {
		if additional.MatchString(word) {
			refuse("further key exchange "+word, "key exchanges beyond the first (RFC 9370) are not built, and without them the keys would be weaker; remove it")
			continue
		}
		k, known := keywords[word]
		if !known {
			refuse("unknown algorithm \""+clean(word)+"\"", didYouMean(word, slices.Sorted(maps.Keys(keywords)), "algorithms are written as in aes256gcm16-prfsha384-ecp384"))
			continue
		}
		if why := k.refusal(); why != "" {
			refuse("algorithm "+word, "it "+why)
			continue
		}
		p.add(k)
	}
	if ok {
		p.complete(esp, refuse)
	}
	return p, ok
}

// clean makes a word fit to be shown inside quotes.
func clean(word string) string { return strings.Trim(shown(Value{Text: word}), `"`) }

func (p *Proposal) add(k keyword) {
	switch k.transform {
	case ike.TransformENCR:
		p.Encr = appendNew(p.Encr, Cipher{ID: k.id, KeyLength: k.bits})
	case ike.TransformPRF:
		p.PRF = appendNew(p.PRF, k.id)
	case ike.TransformINTEG:
		p.Integ = appendNew(p.Integ, k.id)
	case ike.TransformKE:
		p.Groups = appendNew(p.Groups, k.id)
	case ike.TransformSN:
		p.ESN = appendNew(p.ESN, k.id)
	}
}

// appendNew leaves a word out that was said before.
func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// complete adds what a proposal may leave unsaid and refuses what does not belong together (RFC 7296, section 3.3.3).
func (p *Proposal) complete(esp bool, refuse func(what, advice string)) {
	aeads := 0
	for _, c := range p.Encr {
		if isAEAD(c.ID) {
			aeads++
		}
	}
	if !esp && len(p.PRF) == 0 {
		for _, integ := range p.Integ {
			p.PRF = appendNew(p.PRF, prfOfInteg[integ])
		}
	}
	switch {
	case len(p.Encr) == 0:
		refuse("no encryption", "add one, such as aes256gcm16")
	case aeads > 0 && aeads < len(p.Encr):
		refuse("ciphers with and without integrity of their own", "make two proposals of it (RFC 5282, section 8)")
	case aeads == 0 && len(p.Integ) == 0:
		refuse("no integrity algorithm", "add one, such as sha256, or take a cipher that has its own, such as aes256gcm16")
	}
	if aeads > 0 {
		p.Integ = nil // it named the PRF, or nothing: strongSwan leaves it out without a word too
	}
	if esp {
		p.completeESP(refuse)
	} else {
		p.completeIKE(refuse)
	}
}

func (p *Proposal) completeIKE(refuse func(what, advice string)) {
	if len(p.PRF) == 0 {
		refuse("no PRF", "add one, such as prfsha256")
	}
	if len(p.Groups) == 0 || slices.Contains(p.Groups, uint16(ike.GroupNone)) {
		refuse("no key exchange", "add one, such as x25519")
	}
	if len(p.ESN) > 0 {
		refuse("sequence numbers for ESP in a proposal for IKE", "remove esn and noesn")
	}
}

func (p *Proposal) completeESP(refuse func(what, advice string)) {
	if len(p.PRF) > 0 {
		refuse("a PRF in a proposal for ESP", "remove it")
	}
	if len(p.ESN) == 0 {
		p.ESN = []uint16{ike.SN32}
	}
}
