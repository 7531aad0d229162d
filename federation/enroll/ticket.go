package enroll

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"sync"
	"time"
)

var (
	// ErrUnknown: there is no such ticket.
	ErrUnknown = errors.New("enroll: no such ticket")
	// ErrGone: the ticket has been used, or has expired.
	ErrGone = errors.New("enroll: the ticket is used or expired")
)

// A Ticket is what is kept of a token: enough to know it again, and not enough to make
// it.
type Ticket struct {
	// ID names the ticket. It is part of the token, and no secret.
	ID string
	// Hash is the SHA-256 of the token's secret.
	Hash [sha256.Size]byte
	// Grant is the grant for which a certificate will be issued.
	Grant string
	// Created is when it was made, and Expires the first moment at which it is no
	// longer good.
	Created, Expires time.Time
	// Used is when it was used. It is zero before that.
	Used time.Time
}

// opensWith compares in constant time.
func (t Ticket) opensWith(hash [sha256.Size]byte) bool {
	return subtle.ConstantTimeCompare(t.Hash[:], hash[:]) == 1
}

// gone tells if it is too late for the ticket.
func (t Ticket) gone(now time.Time) bool {
	return !t.Used.IsZero() || !now.Before(t.Expires)
}

// Tickets keep tickets. Memory is one of them, and package sqlstore has one for Postgres
// and SQLite. Calls run concurrently, and what a call has stored, every call that begins
// later finds.
type Tickets interface {
	// Insert stores a new ticket, whose ID is not there yet.
	Insert(ctx context.Context, t Ticket) error
	// Get returns a ticket, or ErrUnknown.
	Get(ctx context.Context, id string) (Ticket, error)
	// Use marks a ticket as used at the given time. Of any number of calls for one
	// ticket, one returns nil, and the others return ErrGone and change nothing; so
	// does every call at or after its expiry. If there is no such ticket, it is
	// ErrUnknown.
	Use(ctx context.Context, id string, at time.Time) error
}

// Memory are Tickets that are forgotten with the process: for tests, and for a first
// look. The zero Memory is empty and ready. It must not be copied.
type Memory struct {
	mu      sync.Mutex
	tickets map[string]Ticket
}

// Insert stores a new ticket.
func (m *Memory) Insert(ctx context.Context, t Ticket) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.tickets[t.ID]; taken {
		return errors.New("enroll: the ticket exists")
	}
	if m.tickets == nil {
		m.tickets = make(map[string]Ticket)
	}
	m.tickets[t.ID] = t
	return nil
}

// Get returns a ticket, or ErrUnknown.
func (m *Memory) Get(ctx context.Context, id string) (Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(id)
}

func (m *Memory) get(id string) (Ticket, error) {
	t, found := m.tickets[id]
	if !found {
		return Ticket{}, ErrUnknown
	}
	return t, nil
}

// Use marks a ticket as used, once.
func (m *Memory) Use(ctx context.Context, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.get(id)
	if err != nil {
		return err
	}
	if t.gone(at) {
		return ErrGone
	}
	t.Used = at
	m.tickets[id] = t
	return nil
}
