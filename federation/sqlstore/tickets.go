package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
)

// Tickets is a table of tickets. It implements [enroll.Tickets]. Its methods run
// concurrently.
type Tickets struct {
	db               *sql.DB
	dialect          Dialect
	get, insert, use string // statements
}

// The columns of a ticket, in the order of scan and of arguments.
const ticketColumns = "id, hash, grant_id, created, expires, used"

// NewTickets returns the table, which must be there with all of its columns.
func NewTickets(ctx context.Context, cfg Config) (*Tickets, error) {
	statement, err := cfg.statements()
	if err != nil {
		return nil, err
	}
	t := &Tickets{
		db:      cfg.DB,
		dialect: cfg.Dialect,
		get:     statement("SELECT " + ticketColumns + " FROM @.federation_tickets WHERE id = ?1"),
		insert:  statement("INSERT INTO @.federation_tickets (" + ticketColumns + ") VALUES (?1, ?2, ?3, ?4, ?5, NULL)"),
		use:     statement("UPDATE @.federation_tickets SET used = ?2 WHERE id = ?1 AND used IS NULL AND expires > ?2"),
	}
	if err := cfg.probe(ctx, statement, "federation_tickets", ticketColumns); err != nil {
		return nil, err
	}
	return t, nil
}

// Insert stores a new ticket. Its grant must be there.
func (t *Tickets) Insert(ctx context.Context, ticket enroll.Ticket) error {
	_, err := t.db.ExecContext(ctx, t.insert, ticket.ID, hex.EncodeToString(ticket.Hash[:]), ticket.Grant,
		t.dialect.time(ticket.Created), t.dialect.time(ticket.Expires))
	if err != nil {
		return fmt.Errorf("sqlstore: storing a ticket: %w", err)
	}
	return nil
}

// Get returns a ticket, or [enroll.ErrUnknown].
func (t *Tickets) Get(ctx context.Context, id string) (enroll.Ticket, error) {
	var (
		ticket enroll.Ticket
		digits string
	)
	err := t.db.QueryRowContext(ctx, t.get, id).Scan(&ticket.ID, &digits, &ticket.Grant,
		stored{&ticket.Created}, stored{&ticket.Expires}, storedOrNone{&ticket.Used})
	if errors.Is(err, sql.ErrNoRows) {
		return enroll.Ticket{}, enroll.ErrUnknown
	}
	if err == nil {
		var hash []byte
		hash, err = hex.DecodeString(digits)
		if copy(ticket.Hash[:], hash) != len(ticket.Hash) && err == nil {
			err = errors.New("its hash is cut short")
		}
	}
	if err != nil {
		return enroll.Ticket{}, fmt.Errorf("sqlstore: reading a ticket: %w", err)
	}
	return ticket, nil
}

// Use marks a ticket as used, once. One statement finds it unused and marks it: of two
// at once, one waits for the other and then finds it used.
func (t *Tickets) Use(ctx context.Context, id string, at time.Time) error {
	n, err := affected(t.db.ExecContext(ctx, t.use, id, t.dialect.time(at)))
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: using a ticket: %w", err)
	case n == 1:
		return nil
	}
	if _, err := t.Get(ctx, id); err != nil {
		return err
	}
	return enroll.ErrGone
}

// storedOrNone scans a time that may be null, which is the zero time.
type storedOrNone struct{ to *time.Time }

// Scan implements sql.Scanner.
func (s storedOrNone) Scan(value any) error {
	if value == nil {
		*s.to = time.Time{}
		return nil
	}
	return stored(s).Scan(value)
}
