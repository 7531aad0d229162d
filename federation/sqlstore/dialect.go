package sqlstore

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Dialect is the SQL that a database speaks. The zero Dialect is none.
type Dialect uint8

const (
	// Postgres is PostgreSQL. Version 15 is tested.
	Postgres Dialect = iota + 1
	// SQLite is SQLite, from version 3.37 on.
	SQLite
)

//go:embed schema.sql
var schemaSQL string

var (
	comment    = regexp.MustCompile(`(?m)^--.*\n`)
	schemaName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

	sqliteTypes = strings.NewReplacer(
		` text COLLATE "C"`, " TEXT", // SQLite compares bytes unless told otherwise
		" text", " TEXT",
		" timestamptz", " INTEGER",
		" bigint", " INTEGER",
		"\n);", "\n) STRICT;", // or any column takes any type
	)
)

// DDL returns the statements that make the tables, which must not be there yet. They go
// into the schema of that name (in SQLite: the attached database), or with "" into the
// one that a name without a schema means.
func DDL(d Dialect, schema string) ([]string, error) {
	prefix, err := d.prefix(schema)
	if err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(comment.ReplaceAllString(schemaSQL, ""), "@.", prefix)
	if d == SQLite {
		text = sqliteTypes.Replace(text)
	}
	var statements []string
	for statement := range strings.SplitSeq(text, ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			statements = append(statements, statement)
		}
	}
	return statements, nil
}

// prefix returns what stands before the name of a table in the schema.
func (d Dialect) prefix(schema string) (string, error) {
	switch {
	case d != Postgres && d != SQLite:
		return "", fmt.Errorf("sqlstore: there is no dialect %d", d)
	case schema == "":
		return "", nil
	case !schemaName.MatchString(schema):
		return "", fmt.Errorf("sqlstore: %q is no name of a schema", schema)
	}
	return `"` + schema + `".`, nil
}

// statement turns a statement with the parameters ?1, ?2 and so on, as SQLite has them,
// into the dialect's, with the prefix for each "@.".
func (d Dialect) statement(sql, prefix string) string {
	if d == Postgres {
		sql = strings.ReplaceAll(sql, "?", "$")
	}
	return strings.ReplaceAll(sql, "@.", prefix)
}

// time is t as an argument.
func (d Dialect) time(t time.Time) any {
	if d == SQLite {
		return t.UnixMicro()
	}
	return t
}

// stored scans a time, of either dialect.
type stored struct{ to *time.Time }

// Scan implements sql.Scanner.
func (s stored) Scan(value any) error {
	switch v := value.(type) {
	case int64:
		*s.to = time.UnixMicro(v).UTC()
	case time.Time:
		*s.to = v.UTC()
	default:
		return fmt.Errorf("sqlstore: a time is stored as %T", value)
	}
	return nil
}
