package grants

import (
	"context"
	"slices"
	"sync"
)

// Memory is a Store that forgets everything with the process: for tests, and for a
// first look. The zero Memory is empty and ready. It must not be copied.
type Memory struct {
	mu           sync.RWMutex
	byID         map[string]Grant
	byCredential map[string]string // the ID
}

// Get returns the grant, or ErrNotFound.
func (m *Memory) Get(ctx context.Context, id string) (Grant, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.get(id)
}

// Find returns the grant of a credential, or ErrNotFound.
func (m *Memory) Find(ctx context.Context, credential string) (Grant, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.get(m.byCredential[credential])
}

func (m *Memory) get(id string) (Grant, error) {
	g, found := m.byID[id]
	if !found {
		return Grant{}, ErrNotFound
	}
	return g, nil
}

// Insert stores a new grant, see Store.
func (m *Memory) Insert(ctx context.Context, g Grant) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.byID[g.ID]; taken {
		return ErrExists
	}
	if _, taken := m.byCredential[g.Credential]; taken {
		return ErrExists
	}
	if m.byID == nil {
		m.byID, m.byCredential = make(map[string]Grant), make(map[string]string)
	}
	m.byID[g.ID], m.byCredential[g.Credential] = g, g.ID
	return nil
}

// Replace stores the next revision of a grant, see Store.
func (m *Memory) Replace(ctx context.Context, g Grant) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, err := m.get(g.ID)
	if err != nil {
		return err
	}
	if stored.Revision != g.Revision-1 || stored.Status == Revoked {
		return ErrConflict
	}
	g.Credential = stored.Credential
	m.byID[g.ID] = g
	return nil
}

// List returns grants in the order of their IDs, see Store.
func (m *Memory) List(ctx context.Context, after string, limit int) ([]Grant, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var ids []string
	for id := range m.byID {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var page []Grant
	for _, id := range ids[:max(0, min(limit, len(ids)))] {
		page = append(page, m.byID[id])
	}
	return page, nil
}
