package listquery

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A Querier runs statements: a *sql.DB, a *sql.Tx or a *sql.Conn.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Config says what a Store lists. Dialect and Resources are required.
type Config struct {
	Dialect   Dialect
	Resources []AnyResource

	// Schema names the table of team memberships. The zero Schema has the standard
	// name. It must be that of the resources which were made with a Schema.
	Schema Schema

	// Prepared has the database plan each statement once for each connection instead
	// of once for each page, which for a page of 50 tasks is about half of its
	// cost. Recommended, and off by default: a pooler in transaction mode, as
	// PgBouncer before version 1.21, loses prepared statements. Close gives them back.
	// Behind such a pooler lib/pq needs binary_parameters=yes in its data source name,
	// prepared or not, or it mixes statements up.
	// On a *sql.Conn with ReadOnly or StatementTimeout each page prepares anew.
	//
	// A driver that prepares by itself, as pgx does, needs no such option.
	Prepared bool

	// ReadOnly reads each page in a read-only transaction of its own, for a role that
	// could write, or a pooler that sends such transactions to a replica. It costs two
	// round trips to the database. The database must be a *sql.DB or a *sql.Conn, and
	// Postgres.
	ReadOnly bool

	// StatementTimeout, if not 0, ends a statement in the database after that time,
	// whatever becomes of the program and of its messages to the database. Less than a
	// millisecond is a millisecond, and Postgres has no timeout of more than 24 days. It
	// takes a transaction as ReadOnly does, and a round trip more; a deadline of the
	// context costs nothing, and belongs on every page as well. The page fails with an
	// error that matches scope.ErrUnavailable.
	StatementTimeout time.Duration
}

// A Store lists rows out of a database. It is safe for concurrent use if its Querier
// is: a *sql.DB is, a *sql.Tx and a *sql.Conn serve one page at a time. Close it if it
// is prepared and the database outlives it.
//
// A Store is a federation.Lister and a federation.Getter, and a [scope.NativeRBAC] by its
// team memberships.
type Store struct {
	db        Querier
	session   *session
	dialect   Dialect
	resources map[string]AnyResource
	members   *statement
	learned   learned
}

// NewStore returns a store that lists the resources of cfg. It does not ask the
// database for anything.
func NewStore(db Querier, cfg Config) (*Store, error) {
	if db == nil {
		return nil, errors.New("listquery: no database")
	}
	if cfg.Dialect != Postgres && cfg.Dialect != SQLite {
		return nil, fmt.Errorf("listquery: %s is not a dialect", cfg.Dialect)
	}
	if len(cfg.Resources) == 0 {
		return nil, errors.New("listquery: no resources")
	}
	session, err := newSession(db, cfg)
	if err != nil {
		return nil, fmt.Errorf("listquery: %w", err)
	}
	members, err := membersStatement(cfg.Schema, cfg.Dialect)
	if err != nil {
		return nil, fmt.Errorf("listquery: %w", err)
	}
	s := &Store{db: db, session: session, dialect: cfg.Dialect, members: members, learned: newLearned(), resources: make(map[string]AnyResource)}
	for _, r := range cfg.Resources {
		if err := s.add(r, cfg.Schema); err != nil {
			return nil, fmt.Errorf("listquery: %w", err)
		}
	}
	return s, nil
}

func (s *Store) add(r AnyResource, schema Schema) error {
	if r == nil || r.definition() == nil {
		return errors.New("a resource was not made by Define")
	}
	if s.resources[r.Name()] != nil {
		return fmt.Errorf("resource %q stands twice", r.Name())
	}
	members, err := schema.table(teamMembersTable)
	if err != nil {
		return err
	}
	if made := r.definition().members; made != nil && !made.equal(members) {
		return fmt.Errorf("resource %q was made with the table %s of team members, Config.Schema has %s", r.Name(), made, members)
	}
	s.resources[r.Name()] = r
	return nil
}

// Layout returns how positions in the resource's order are written into cursors, and
// whether the store lists the resource.
func (s *Store) Layout(resource string) (cursor.Layout, bool) {
	r, ok := s.resources[resource]
	if !ok {
		return cursor.Layout{}, false
	}
	return r.definition().layout, true
}

// List reads the page of at most filter.Limit rows behind the position after, each as
// a JSON object; nil is the first page. The second result is the position of the next
// page, or nil if no visible row is left. The caller owns the rows.
//
// A filter that shows nothing gives an empty page without asking the database.
func (s *Store) List(ctx context.Context, filter scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	r, ok := s.resources[filter.Resource]
	if !ok {
		return nil, nil, fmt.Errorf("%w: %q", ErrUnknownResource, filter.Resource)
	}
	page, err := r.listJSON(request{ctx, s, filter, after})
	return page.items, page.next, err
}

// All reads every row that the filter shows, filter.Limit rows at a time, and stops
// at the first error; see [Resource.All].
func (s *Store) All(ctx context.Context, filter scope.Filter) iter.Seq2[json.RawMessage, error] {
	return all(func(after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return s.List(ctx, filter, after)
	})
}

// Close gives back the prepared statements of the store, on all connections. Pages that
// are being read are finished; a page that is asked for later fails with [ErrClosed].
// The database stays open. Close may be called several times and by several goroutines.
func (s *Store) Close() error { return s.session.close() }
