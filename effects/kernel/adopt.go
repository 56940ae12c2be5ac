package kernel

// Adopt takes over a Child SA that a Model of the process before had installed: a Model forgets with its process, a
// kernel does not. Its keys and selectors are not needed to remove it.
func (m *Model) Adopt(key ChildKey) error {
	key = canonical(key)
	in, out := key.states()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has(key) {
		return nil
	}
	m.put(in, state{child: &key, inbound: true})
	m.put(out, state{child: &key})
	m.children++
	return nil
}
