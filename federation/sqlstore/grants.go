package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mosaicstack/fedkit/federation/grants"
)

// Config says where the tables are.
type Config struct {
	// DB is the pool. Required. Who closes it is up to the host.
	DB *sql.DB
	// Dialect is what the database speaks. Required.
	Dialect Dialect
	// Schema has the tables. Defaults to the one that a name without a schema means.
	Schema string
	// Prepared has the database parse and plan the look-up of a grant once for each
	// connection instead of for each request: with lib/pq that is one round trip instead
	// of two. It does not work behind a pooler that hands out connections by the
	// transaction, such as PgBouncer, unless that pooler knows prepared statements. Behind
	// one lib/pq needs binary_parameters=yes in its data source name, prepared or not.
	// NewGrants prepares, and Close gives up what it has prepared. Tickets, which are
	// looked up once, are never prepared. After a column of the table was given another
	// type, Postgres refuses what was prepared before ("cached plan must not change result
	// type"): start the program anew, or bound the age of connections by SetConnMaxLifetime.
	Prepared bool
}

// statements returns what turns the SQL of this package into that of the database.
func (c Config) statements() (statement func(sql string) string, err error) {
	if c.DB == nil {
		return nil, errors.New("sqlstore: Config.DB is required")
	}
	prefix, err := c.Dialect.prefix(c.Schema)
	if err != nil {
		return nil, err
	}
	return func(sql string) string { return c.Dialect.statement(sql, prefix) }, nil
}

// probe makes sure that a table is there with these columns.
func (c Config) probe(ctx context.Context, statement func(sql string) string, table, columns string) error {
	_, err := c.DB.ExecContext(ctx, statement("SELECT "+columns+" FROM @."+table+" WHERE 1 = 0"))
	if err != nil {
		return fmt.Errorf("sqlstore: the table %s is not as DDL makes it: %w", table, err)
	}
	return nil
}

// Grants is a table of grants. It implements [grants.Store], Find and List. Its methods
// run concurrently.
type Grants struct {
	db      *sql.DB
	dialect Dialect
	list, insert, replace,
	exists string // statements
	get, find lookup
}

// The columns of a grant, in the order of scan and of arguments.
const (
	grantColumns = "id, credential, peer, subject, scope, status, pin, old_pin, " +
		"not_before, expires, revision, created, updated"
	grantParameters = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
)

// NewGrants returns the table, which must be there with all of its columns: else the
// host learns it here and not from the first request. With Config.Prepared, Close it.
func NewGrants(ctx context.Context, cfg Config) (*Grants, error) {
	statement, err := cfg.statements()
	if err != nil {
		return nil, err
	}
	g := &Grants{
		db:      cfg.DB,
		dialect: cfg.Dialect,
		list:    statement("SELECT " + grantColumns + " FROM @.federation_grants WHERE id > ?1 ORDER BY id LIMIT ?2"),
		insert:  statement("INSERT INTO @.federation_grants (" + grantColumns + ") VALUES (" + grantParameters + ") ON CONFLICT DO NOTHING"),
		// Without the credential, which stays, and what never changes.
		replace: statement(`UPDATE @.federation_grants SET peer = ?2, subject = ?3, scope = ?4, status = ?5,
			pin = ?6, old_pin = ?7, not_before = ?8, expires = ?9, revision = ?10, updated = ?11
			WHERE id = ?1 AND revision = ?10 - 1 AND status <> 'revoked'`),
		exists: statement("SELECT 1 FROM @.federation_grants WHERE id = ?1"),
	}
	if err := cfg.probe(ctx, statement, "federation_grants", grantColumns); err != nil {
		return nil, err
	}
	by := func(column string) (lookup, error) {
		return newLookup(ctx, cfg, statement("SELECT "+grantColumns+" FROM @.federation_grants WHERE "+column+" = ?1"))
	}
	if g.get, err = by("id"); err == nil {
		g.find, err = by("credential")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlstore: preparing a statement: %w", err), g.Close())
	}
	return g, nil
}

// Close gives up the prepared statements. Look-ups that run end as they would have, and
// later ones are errors, none of which is [grants.ErrNotFound]. Without Config.Prepared it
// does nothing. It may be called more than once.
func (g *Grants) Close() error { return errors.Join(g.get.close(), g.find.close()) }

// Get returns the grant, or [grants.ErrNotFound].
func (g *Grants) Get(ctx context.Context, id string) (grants.Grant, error) {
	return scanGrant(g.get.row(ctx, id))
}

// Find returns the grant of a credential, or [grants.ErrNotFound].
func (g *Grants) Find(ctx context.Context, credential string) (grants.Grant, error) {
	return scanGrant(g.find.row(ctx, credential))
}

// List returns grants in the order of their IDs, see [grants.Store].
func (g *Grants) List(ctx context.Context, after string, limit int) ([]grants.Grant, error) {
	rows, err := g.db.QueryContext(ctx, g.list, after, max(0, limit))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: listing grants: %w", err)
	}
	defer rows.Close()
	var page []grants.Grant
	for rows.Next() {
		grant, err := scanGrant(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, grant)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlstore: listing grants: %w", err)
	}
	return page, nil
}

// Insert stores a new grant, see [grants.Store].
func (g *Grants) Insert(ctx context.Context, grant grants.Grant) error {
	time := g.dialect.time
	n, err := affected(g.db.ExecContext(ctx, g.insert,
		grant.ID, grant.Credential, grant.Peer, grant.Subject, grant.Scope, string(grant.Status),
		grant.Pins[0].String(), grant.Pins[1].String(), time(grant.NotBefore), time(grant.Expires),
		grant.Revision, time(grant.Created), time(grant.Updated)))
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: storing a grant: %w", err)
	case n == 0:
		return grants.ErrExists
	}
	return nil
}

// Replace stores the next revision of a grant, see [grants.Store].
func (g *Grants) Replace(ctx context.Context, grant grants.Grant) error {
	time := g.dialect.time
	n, err := affected(g.db.ExecContext(ctx, g.replace,
		grant.ID, grant.Peer, grant.Subject, grant.Scope, string(grant.Status),
		grant.Pins[0].String(), grant.Pins[1].String(), time(grant.NotBefore), time(grant.Expires),
		grant.Revision, time(grant.Updated)))
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: changing a grant: %w", err)
	case n == 0:
		return g.conflict(ctx, grant.ID)
	}
	return nil
}

// conflict says why a grant was not replaced. Grants are never deleted, so that the
// answer is still true.
func (g *Grants) conflict(ctx context.Context, id string) error {
	var one int
	switch err := g.db.QueryRowContext(ctx, g.exists, id).Scan(&one); {
	case errors.Is(err, sql.ErrNoRows):
		return grants.ErrNotFound
	case err != nil:
		return fmt.Errorf("sqlstore: changing a grant: %w", err)
	}
	return grants.ErrConflict
}

// affected returns how many rows a statement has written.
func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// scanGrant reads one row. One that a Registrar cannot have written is an error: it is
// refused and not repaired.
func scanGrant(row interface{ Scan(...any) error }) (grants.Grant, error) {
	var (
		g    grants.Grant
		pins [2]string
	)
	err := row.Scan(&g.ID, &g.Credential, &g.Peer, &g.Subject, &g.Scope, &g.Status, &pins[0], &pins[1],
		stored{&g.NotBefore}, stored{&g.Expires}, &g.Revision, stored{&g.Created}, stored{&g.Updated})
	if errors.Is(err, sql.ErrNoRows) {
		return grants.Grant{}, grants.ErrNotFound
	}
	for i := range pins {
		if err == nil {
			g.Pins[i], err = grants.ParsePin(pins[i])
		}
	}
	if err != nil {
		return grants.Grant{}, fmt.Errorf("sqlstore: reading a grant: %w", err)
	}
	return g, nil
}
