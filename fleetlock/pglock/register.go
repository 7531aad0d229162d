package pglock

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// Config says where the table is.
type Config struct {
	// DB is a pool of lib/pq to the primary. Required. Who closes it is up to the host.
	// Calls return in time also if the server says nothing, but their connections stay
	// in the pool until the system gives them up; so let it have some to spare, and set
	// connect_timeout.
	DB *sql.DB

	// Schema has the table fleetlock. Defaults to the one that a name without a schema
	// means.
	Schema string

	// Listen is a data source name by which one more connection is made, to hear of
	// changes by LISTEN. It has to lead to the server itself or to a pooler in session
	// mode. Defaults to none: then waiters look again every Poll, and that is all.
	Listen string

	// Prepared plans each statement once for each connection, which halves what it
	// costs. Leave it off behind a pooler in transaction mode that does not keep track of
	// prepared statements.
	Prepared bool

	// Poll is how often those who wait look again. Defaults to a second with Listen and
	// 100 ms without.
	Poll time.Duration
}

// Register is a [fleetlock.Register]. Its methods may be called at the same time.
type Register struct {
	db     *sql.DB
	load   query
	settle query
	swap   map[swapKind]query
	doubts doubts
	poll   time.Duration
	ears   *ears // nil without Listen
}

//go:embed schema.sql
var schemaSQL string

var (
	comment    = regexp.MustCompile(`\s*--.*`)
	schemaName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
)

// DDL returns the statement that makes the table, which must not be there yet, in the
// schema of that name, or with "" in the one that a name without a schema means.
func DDL(schema string) (string, error) {
	prefix, err := prefix(schema)
	return strings.ReplaceAll(comment.ReplaceAllString(schemaSQL, ""), "@.", prefix), err
}

func prefix(schema string) (string, error) {
	switch {
	case schema == "":
		return "", nil
	case !schemaName.MatchString(schema):
		return "", fmt.Errorf("pglock: %q is no name of a schema", schema)
	}
	return pq.QuoteIdentifier(schema) + ".", nil
}

const (
	// The microseconds since 1970: see the package's documentation on failovers.
	sqlNow = `(extract(epoch from clock_timestamp()) * 1000000)::bigint`

	// What is left of each term is rounded up, so that no term ends early.
	sqlColumns = `SELECT version, greatest(token, ` + sqlNow + `), record, terms,
		ARRAY(SELECT ceil(extract(epoch from ends[i] - clock_timestamp()) * 1000000)::bigint
			FROM generate_subscripts(ends, 1) AS i ORDER BY i)`
	sqlLoad = sqlColumns + ` FROM @.fleetlock WHERE name = $1`

	// What is read by a statement that writes is on the standby when that has returned.
	sqlSettle = `WITH settled AS (UPDATE @.fleetlock SET token = token WHERE name = $1 RETURNING *) ` + sqlColumns + ` FROM settled`

	sqlInsert = `INSERT INTO @.fleetlock AS old (name, version, token, record, terms, ends)
		VALUES ($1, ` + sqlNow + ` + $2, $3, $4, $5, ARRAY(
			SELECT clock_timestamp() + length * interval '1 microsecond'
			FROM unnest($6::bigint[]) WITH ORDINALITY AS term (length, i) ORDER BY i))
		ON CONFLICT (name) DO NOTHING RETURNING version`

	// A term of no length goes on as it is.
	sqlUpdate = `UPDATE @.fleetlock AS old SET version = greatest(version + 1, ` + sqlNow + `),
		token = $3, record = $4, terms = $5, ends = ARRAY(
			SELECT CASE WHEN length > 0 THEN clock_timestamp() + length * interval '1 microsecond'
				ELSE coalesce(old.ends[array_position(old.terms, id)], clock_timestamp()) END
			FROM unnest($5::text[], $6::bigint[]) WITH ORDINALITY AS term (id, length, i) ORDER BY i)
		WHERE name = $1 AND version = $2 RETURNING version`

	channel = "fleetlock"
	sqlLoud = `WITH swapped AS (%s) SELECT version, pg_notify('` + channel + `', $1) FROM swapped`
)

// New returns the register, whose table must be there with all of its columns and
// open to reading and writing: else the host learns it here and not from the first
// lock.
func New(ctx context.Context, cfg Config) (*Register, error) {
	r, err := newRegister(cfg)
	if err != nil {
		return nil, err
	}
	if err := r.Check(ctx); err != nil {
		return nil, err
	}
	if cfg.Prepared {
		if err := r.prepare(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("pglock: the statements cannot be prepared: %w", err), r.Close())
		}
	}
	if cfg.Listen != "" {
		if r.ears, err = listen(cfg.Listen, r.poll); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

func newRegister(cfg Config) (*Register, error) {
	if cfg.DB == nil {
		return nil, errors.New("pglock: Config.DB is required")
	}
	prefix, err := prefix(cfg.Schema)
	if err != nil {
		return nil, err
	}
	poll := cfg.Poll
	switch {
	case poll < 0:
		return nil, fmt.Errorf("pglock: Config.Poll is %v", poll)
	case poll == 0 && cfg.Listen != "":
		poll = time.Second
	case poll == 0:
		poll = 100 * time.Millisecond
	}
	statement := func(sql string) query { return query{text: strings.ReplaceAll(sql, "@.", prefix)} }
	return &Register{
		db: cfg.DB, poll: poll, load: statement(sqlLoad), settle: statement(sqlSettle),
		swap: map[swapKind]query{
			{first: true}:             statement(sqlInsert),
			{first: true, loud: true}: statement(fmt.Sprintf(sqlLoud, sqlInsert)),
			{}:                        statement(sqlUpdate),
			{loud: true}:              statement(fmt.Sprintf(sqlLoud, sqlUpdate)),
		},
	}, nil
}

// A swapKind tells the statements of swaps apart.
type swapKind struct{ first, loud bool }

// A query is a statement, and may be prepared.
type query struct {
	text     string
	prepared *sql.Stmt
}

func (q query) row(ctx context.Context, db *sql.DB, args ...any) *sql.Row {
	if q.prepared != nil {
		return q.prepared.QueryRowContext(ctx, args...)
	}
	return db.QueryRowContext(ctx, q.text, args...)
}

// prepare prepares all statements.
func (r *Register) prepare(ctx context.Context) (err error) {
	for _, q := range []*query{&r.load, &r.settle} {
		if q.prepared, err = r.db.PrepareContext(ctx, q.text); err != nil {
			return err
		}
	}
	for kind, q := range r.swap {
		if q.prepared, err = r.db.PrepareContext(ctx, q.text); err != nil {
			return err
		}
		r.swap[kind] = q
	}
	return nil
}

// Close ends the connection that listens, and drops what was prepared.
func (r *Register) Close() error {
	var err error
	if r.ears != nil {
		err = r.ears.close()
	}
	queries := []query{r.load, r.settle}
	for _, q := range r.swap {
		queries = append(queries, q)
	}
	for _, q := range queries {
		if q.prepared != nil {
			err = errors.Join(err, q.prepared.Close())
		}
	}
	return err
}

// Check says what is wrong with the table, by writing and removing a row in a
// transaction that is rolled back.
func (r *Register) Check(ctx context.Context) error {
	err := func() error {
		tx, err := r.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		const name = "\n" // a name that no lock has
		next := fleetlock.Record{Token: 1, Text: `{}`, Terms: []fleetlock.Term{{ID: "a", Length: time.Minute}}}
		var version uint64
		if err := tx.QueryRowContext(ctx, r.swap[swapKind{first: true}].text, arguments(name, 0, next)...).Scan(&version); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, r.swap[swapKind{}].text, arguments(name, version, next)...).Scan(&version); err != nil {
			return err
		}
		_, err = scan(tx.QueryRowContext(ctx, r.load.text, name))
		return err
	}()
	if err != nil {
		return fmt.Errorf("pglock: the table fleetlock is not as DDL makes it, or not open to this user: %w", err)
	}
	return nil
}

// Load implements [fleetlock.Register].
func (r *Register) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	load, doubt := r.load, r.doubts.about(name)
	if doubt {
		load = r.settle
	}
	got, err := inTime(ctx, func() (fleetlock.Record, error) { return scan(load.row(ctx, r.db, name)) })
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fleetlock.Record{}, nil
	case err == nil && doubt:
		r.doubts.settle(name, got.Version)
	}
	return got, err
}

func scan(row *sql.Row) (got fleetlock.Record, err error) {
	var terms []string
	var left []int64
	if err := row.Scan(&got.Version, &got.Token, &got.Text, pq.Array(&terms), pq.Array(&left)); err != nil {
		return fleetlock.Record{}, err
	}
	if len(terms) != len(left) {
		return fleetlock.Record{}, fmt.Errorf("pglock: the row has %d terms and %d ends", len(terms), len(left))
	}
	for i, id := range terms {
		got.Terms = append(got.Terms, fleetlock.Term{ID: id, Left: time.Duration(left[i]) * time.Microsecond})
	}
	return got, nil
}

// Swap implements [fleetlock.Register].
func (r *Register) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	statement := r.swap[swapKind{first: seen == 0, loud: !next.Quiet}]
	columns := []any{new(uint64)}
	if !next.Quiet {
		columns = append(columns, new(any)) // a function without a result
	}
	counted := &counted{name: name}
	version, err := inTime(ctx, func() (uint64, error) {
		var version uint64
		columns[0] = &version
		err := statement.row(ctx, r.db, arguments(counted, seen, next)...).Scan(columns...)
		return version, err
	})
	changed := errors.Is(err, sql.ErrNoRows)
	if err != nil && !(changed && counted.sent == 1) {
		r.doubts.raise(name, seen)
	}
	if changed {
		return 0, fleetlock.ErrChanged
	}
	return version, err
}

// arguments are those of insert and update.
func arguments(name any, seen uint64, next fleetlock.Record) []any {
	ids, lengths := make([]string, len(next.Terms)), make([]int64, len(next.Terms))
	for i, term := range next.Terms {
		ids[i] = term.ID
		lengths[i] = (term.Length + time.Microsecond - 1).Microseconds()
	}
	return []any{name, int64(seen), int64(next.Token), next.Text, pq.Array(ids), pq.Array(lengths)}
}

// inTime returns when ctx ends even if the driver does not: lib/pq reads on from a
// server that says nothing. What is answered after that does not count: see doubts.
func inTime[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := do()
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		if ctx.Err() != nil {
			a.err = errors.Join(ctx.Err(), a.err) // the driver's own does not say so
		}
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Watch implements [fleetlock.Register].
func (r *Register) Watch(ctx context.Context, name string, changed func()) error {
	var news <-chan struct{}
	if r.ears != nil {
		heard, stop := r.ears.hear(name)
		defer stop()
		news = heard
	}
	again := time.NewTicker(r.poll)
	defer again.Stop()
	for {
		changed()
		select {
		case <-news:
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
