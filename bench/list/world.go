package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// A world is the data of a Postgres schema.
type world struct {
	name  string
	rows  int      // of tasks
	parts []string // statements that fill the tables
}

var (
	//go:embed owners.sql
	ownersSQL string
	//go:embed tasks.sql
	tasksSQL string
	//go:embed others.sql
	othersSQL string
	//go:embed skewed.sql
	skewedSQL string
)

// evenWorld is the data set of most tables.
func evenWorld(rows int) world {
	return world{"even", rows, []string{ownersSQL, tasksSQL, othersSQL}}
}

// grownWorld has the same owners and more tasks.
func grownWorld(rows int) world { return world{"grown", rows, []string{ownersSQL, tasksSQL}} }

// skewedWorld has what a planner's statistics get wrong.
func skewedWorld(rows int) world { return world{"skewed", rows, []string{ownersSQL, skewedSQL}} }

// spanMicroseconds is the time between the oldest row and the newest: three years.
const spanMicroseconds = 3 * 365 * 24 * 60 * 60 * 1_000_000

// functions are what the statements of a world are written with.
const functions = `
CREATE FUNCTION pick(n bigint, salt bigint, below bigint) RETURNS int LANGUAGE sql IMMUTABLE AS
	'SELECT ((hashint8extended(n, salt) & 9223372036854775807) % below)::int';
CREATE FUNCTION uid(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT md5(kind || n)::uuid';
CREATE FUNCTION team(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT md5(''team'' || n)::uuid';
CREATE FUNCTION moment(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
	'SELECT ''2023-01-01 00:00:00+00''::timestamptz + n * {step} * interval ''1 microsecond''';
`

// load fills the first schema of the search path of db, which must be empty.
func (w world) load(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // which does nothing after Commit
	c, err := newCatalog(listquery.Schema{})
	if err != nil {
		return err
	}
	for _, statement := range append(w.statements(), listquery.Indexes(listquery.Postgres, c.all()...)...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("the world %s: %w in %.80q", w.name, err, statement)
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, table := range append(demo.Tables(), "documents") {
		if _, err := db.ExecContext(ctx, "VACUUM (FREEZE, ANALYZE) "+table); err != nil {
			return err
		}
	}
	if err := w.check(ctx, db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DO $$ BEGIN EXECUTE format('COMMENT ON SCHEMA %I IS %L', current_schema(), '"+w.fingerprint()+"'); END $$")
	return err
}

// statements make the tables and fill them.
func (w world) statements() []string {
	statements := append(tables(), functions)
	statements = append(statements, w.parts...)
	statements = append(statements, keys()...)
	fill := strings.NewReplacer("{rows}", strconv.Itoa(w.rows), "{step}", strconv.FormatInt(spanMicroseconds/int64(w.rows), 10))
	for i, statement := range statements {
		statements[i] = fill.Replace(statement)
	}
	return statements
}

// fingerprint is what a schema with the world is known by.
func (w world) fingerprint() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(w.statements(), ";"))))
}

// check reports what pages need and the world has not.
func (w world) check(ctx context.Context, db *sql.DB) error {
	l, err := newLibrary(db, listquery.Schema{}, false)
	if err != nil {
		return err
	}
	return l.store.Check(ctx)
}

// references and primaryKey are looked up, or kept up to date, for each row that is
// inserted.
var (
	references = regexp.MustCompile(` REFERENCES @?\.?\w+( ON DELETE (CASCADE|SET NULL))?`)
	primaryKey = regexp.MustCompile(`(?m)^(\s+id\s+\w+) PRIMARY KEY`)
	tableName  = regexp.MustCompile(`^CREATE TABLE (\w+)`)
)

// tables are those of the standard schema, and the one of the documents, without what
// slows their filling down.
func tables() []string {
	var tables []string
	for _, statement := range append(demo.DDL(demo.Postgres, ""), documentsTable) {
		if tableName.MatchString(statement) {
			tables = append(tables, primaryKey.ReplaceAllString(references.ReplaceAllString(statement, ""), "$1"))
		}
	}
	return tables
}

// keys are the primary keys that tables leaves out.
func keys() []string {
	var keys []string
	for _, statement := range append(demo.DDL(demo.Postgres, ""), documentsTable) {
		if name := tableName.FindStringSubmatch(statement); name != nil && primaryKey.MatchString(statement) {
			keys = append(keys, "ALTER TABLE "+name[1]+" ADD PRIMARY KEY (id)")
		}
	}
	return keys
}
