package conf

import (
	"strings"

	"github.com/ikejd/ikejd/effects/creds"
)

// The keys of secrets.ike<suffix>.
var ikeSecretKeys = []KeyDoc{
	{Name: "secret", Doc: "The pre-shared key: text, hexadecimal after 0x, or base64 after 0s."},
	{Name: "id*", Doc: "An identity the key belongs to; any number of them, each with a suffix of its own. Without one the key is for everybody."},
}

// otherSecrets are strongSwan's other kinds. Nothing uses them here, so leaving them out weakens nothing.
var otherSecrets = map[string]string{
	"eap": "EAP is not built", "xauth": "XAuth is not built", "ntlm": "EAP is not built",
	"ppk":     "post-quantum pre-shared keys are not built",
	"private": "private keys are not built", "rsa": "private keys are not built", "ecdsa": "private keys are not built",
	"pkcs8": "private keys are not built", "pkcs12": "private keys are not built", "token": "tokens are not built",
}

func readSecrets(r *report, root *Section) []Secret {
	section := root.Sub("secrets")
	if section == nil {
		return nil
	}
	newReader(r, section, "secrets", nil).refuseValues(`write: secrets { ike-gw { secret = "..." } }`)
	var secrets []Secret
	for _, sub := range section.Sections {
		if secret, ok := readSecret(r, sub); ok {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

func readSecret(report *report, s *Section) (Secret, bool) {
	if !strings.HasPrefix(s.Name, "ike") {
		for kind, why := range otherSecrets {
			if strings.HasPrefix(s.Name, kind) {
				report.add(s.Pos, Warning, "secrets", "section "+shown(Value{Text: s.Name})+" has no effect", why+"; remove it")
				return Secret{}, false
			}
		}
		report.add(s.Pos, Error, "secrets", "a section of an unknown kind", "a pre-shared key is written as: ike-gw { ... }")
		return Secret{}, false
	}
	r := newReader(report, s, "secrets."+s.Name, ikeSecretKeys)
	r.hide = true
	r.checkKeys()
	secret := Secret{Name: s.Name, Pos: s.Pos}
	for _, v := range s.Values {
		if strings.HasPrefix(v.Key, "id") {
			secret.readOwner(r, v)
		}
	}
	v, set := s.Lookup("secret")
	if !set {
		r.fail(s.Pos, "no secret", `write: secret = "..."`)
		return Secret{}, false
	}
	key, err := creds.ParseSecret(v.Text)
	if err != nil {
		r.failError(v.Pos, err, "correct it")
		return Secret{}, false
	}
	secret.Key = key
	return secret, true
}

func (secret *Secret) readOwner(r *reader, v Value) {
	idType, data, err := creds.ParseID(v.Text)
	if err != nil {
		r.fail(v.Pos, v.Key+" is not an identity", "write it as in the connection")
		return
	}
	secret.IDs = append(secret.IDs, v.Text)
	secret.Owners = append(secret.Owners, creds.ID{Type: idType, Data: data})
}
