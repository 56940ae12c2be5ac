package creds

import (
	"slices"
	"sync"
)

// ID is an identity in wire form: the type and data of an ID payload (RFC 7296, section 3.5). Type 0 stands for any.
type ID struct {
	Type uint8
	Data []byte
}

// Store holds pre-shared keys by a unique name, each with the identities it belongs to, as swanctl's `ike` secrets and
// vici's load-shared give them. Its methods may be called from several goroutines at once.
type Store struct {
	mu      sync.RWMutex
	secrets map[string]*shared
}

// shared is one secret. No owners: it is anybody's.
type shared struct {
	owners []ID
	secret Secret
}

// NewStore is an empty store.
func NewStore() *Store { return &Store{secrets: map[string]*shared{}} }

// Put keeps a copy of secret under a name; one that was there under that name is zeroed.
func (s *Store) Put(name string, owners []ID, secret []byte) {
	kept := &shared{slices.Clone(owners), slices.Clone(secret)}
	for i := range kept.owners {
		kept.owners[i].Data = slices.Clone(kept.owners[i].Data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(name)
	s.secrets[name] = kept
}

// Remove zeroes and forgets a secret; false where there was none of that name.
func (s *Store) Remove(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop(name)
}

// Clear zeroes and forgets all secrets.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.secrets {
		s.drop(name)
	}
}

// Names are those of the secrets held, sorted.
func (s *Store) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.secrets))
	for name := range s.secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Store) drop(name string) bool {
	old := s.secrets[name]
	if old == nil {
		return false
	}
	clear(old.secret)
	delete(s.secrets, name)
	return true
}

// PSK is a copy of the secret that fits a pair of identities best: one that names both, else one that names ours or
// the peer's, else one that belongs to nobody in particular. The caller wipes it.
func (s *Store) PSK(local, remote ID) (secret Secret, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var best fit
	var chosen *shared
	var name string
	for n, candidate := range s.secrets {
		f := candidate.fit(local, remote)
		if c := f.compare(best); f.any() && (chosen == nil || c > 0 || c == 0 && n < name) {
			best, chosen, name = f, candidate, n
		}
	}
	if chosen == nil {
		return nil, false
	}
	return slices.Clone(chosen.secret), true
}
