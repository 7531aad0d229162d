package demo

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// Dialect is the SQL that a database speaks. The zero Dialect is none.
type Dialect string

// Postgres has uuid, text, timestamptz, jsonb, boolean and double precision. SQLite
// has UUIDs as lower-case text, times as integers of microseconds since 1970 in UTC,
// booleans as 0 and 1, and JSON as text.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

//go:embed schema.sql
var schemaSQL string

var sqliteTypes = strings.NewReplacer(
	" uuid", " TEXT",
	" text", " TEXT",
	" timestamptz", " INTEGER",
	" jsonb", " TEXT",
	" json", " TEXT",
	" boolean", " INTEGER",
	" double precision", " REAL",
)

var sqlComment = regexp.MustCompile(`(?m)^--.*\n`)

// DDL returns the statements that make the tables and indexes of the standard
// schema. In Postgres they go into the schema of that name, which must be there, or
// with "" into the first of the search path. SQLite has no schemas; there, DDL
// panics on any other name than "".
func DDL(d Dialect, schema string) []string {
	var statements []string
	text := strings.ReplaceAll(sqlComment.ReplaceAllString(schemaSQL, ""), "@.", prefix(d, schema))
	for statement := range strings.SplitSeq(text, ";\n") {
		statement = strings.TrimSpace(statement)
		if statement == "" {
			continue
		}
		if d == SQLite {
			statement = sqliteTypes.Replace(statement)
		}
		if d == SQLite && strings.HasPrefix(statement, "CREATE TABLE") {
			statement += " STRICT" // or any column takes any type
		}
		statements = append(statements, statement)
	}
	return statements
}

// Tables returns the names of the tables that [DDL] makes, each after those that it
// refers to.
func Tables() []string {
	var names []string
	for _, t := range new(Data).tables() {
		names = append(names, t.name)
	}
	return names
}

// prefix returns what stands before the name of a table.
func prefix(d Dialect, schema string) string {
	switch {
	case d != Postgres && d != SQLite:
		panic(fmt.Sprintf("demo: %q is no dialect", d))
	case schema == "":
		return ""
	case d == SQLite:
		panic(fmt.Sprintf("demo: SQLite has no schema %q", schema))
	}
	return `"` + strings.ReplaceAll(schema, `"`, `""`) + `".`
}
