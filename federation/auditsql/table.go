package auditsql

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// A Dialect is the SQL that a database speaks. The zero Dialect is none.
type Dialect uint8

const (
	// Postgres is PostgreSQL.
	Postgres Dialect = iota + 1
	// SQLite is SQLite. Times are INTEGER microseconds since 1970 in UTC.
	SQLite
)

// mark is the placeholder of the argument n, counted from 1.
func (d Dialect) mark(n int) string {
	if d == Postgres {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// Config says where the audit is kept.
type Config struct {
	// Dialect is what the database speaks. Required.
	Dialect Dialect

	// Table is the table's name, with its schema before a dot if it needs one.
	// Defaults to federation_audit.
	Table string
}

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// table returns the quoted name of the table.
func (c Config) table() (string, error) {
	if c.Dialect != Postgres && c.Dialect != SQLite {
		return "", fmt.Errorf("auditsql: Config.Dialect %d is neither Postgres nor SQLite", c.Dialect)
	}
	parts := c.names()
	if len(parts) > 2 {
		return "", fmt.Errorf("auditsql: the table %q has more than a schema and a name", c.Table)
	}
	for i, part := range parts {
		if !namePattern.MatchString(part) {
			return "", fmt.Errorf("auditsql: the table %q is not an SQL name", c.Table)
		}
		parts[i] = `"` + part + `"`
	}
	return strings.Join(parts, "."), nil
}

func (c Config) names() []string {
	if c.Table == "" {
		return []string{"federation_audit"}
	}
	return strings.Split(c.Table, ".")
}

// A column is a column of the table and what a record has for it.
type column struct {
	name  string
	is    string // in Postgres; SQLite has INTEGER for what is not text
	value func(federation.Record) any
}

// definition is the column in a CREATE TABLE.
func (c column) definition(d Dialect) string {
	if d == SQLite && c.is != "text" {
		return c.name + " INTEGER NOT NULL"
	}
	return c.name + " " + c.is + " NOT NULL"
}

// columns are in the order of the table.
var columns = []column{
	{"at", "timestamptz", func(r federation.Record) any { return r.Time.Truncate(time.Microsecond) }},
	{"request_id", "text", func(r federation.Record) any { return r.RequestID }},
	{"grant_id", "text", func(r federation.Record) any { return r.Grant }},
	{"peer_id", "text", func(r federation.Record) any { return r.Peer }},
	{"subject_id", "text", func(r federation.Record) any { return r.Subject }},
	{"revision", "bigint", func(r federation.Record) any { return r.Revision }},
	{"actor", "text", func(r federation.Record) any { return r.Actor }},
	{"verb", "text", func(r federation.Record) any { return r.Verb }},
	{"resource", "text", func(r federation.Record) any { return r.Resource }},
	{"item", "text", func(r federation.Record) any { return r.Item }},
	{"status", "integer", func(r federation.Record) any { return int64(r.Status) }},
	{"code", "text", func(r federation.Record) any { return r.Code }},
	{"stage", "text", func(r federation.Record) any { return r.Stage }},
	{"limit_asked", "text", func(r federation.Record) any { return r.LimitAsked }},
	{"limit_applied", "integer", func(r federation.Record) any { return int64(r.LimitApplied) }},
	{"row_count", "integer", func(r federation.Record) any { return int64(r.Rows) }},
	{"byte_count", "bigint", func(r federation.Record) any { return int64(r.Bytes) }},
	{"source", "text", func(r federation.Record) any { return string(r.Source) }},
	{"sources", "text", func(r federation.Record) any { return sourcesText(r.Sources) }},
	{"partial", "boolean", func(r federation.Record) any { return r.Partial }},
	{"filter_hash", "text", func(r federation.Record) any { return r.Filter }},
	{"latency_us", "bigint", func(r federation.Record) any { return r.Latency.Microseconds() }},
}

// sourcesText is the JSON that the page had of its sources, or empty.
func sourcesText(sources []federation.SourceStatus) string {
	if len(sources) == 0 {
		return ""
	}
	text, err := json.Marshal(sources)
	if err != nil {
		panic(err) // they hold strings only
	}
	return string(text)
}

// DDL returns the statements that make the table of cfg and its indexes where they are
// not there yet: by time, and by grant and time. A host that has migrations of its own
// puts them there.
func DDL(cfg Config) ([]string, error) {
	table, err := cfg.table()
	if err != nil {
		return nil, err
	}
	lines := []string{"id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}
	if cfg.Dialect == SQLite {
		lines = []string{"id INTEGER PRIMARY KEY AUTOINCREMENT"}
	}
	for _, c := range columns {
		lines = append(lines, c.definition(cfg.Dialect))
	}
	names := cfg.names()
	name := names[len(names)-1]
	on := table
	schema := ""
	if cfg.Dialect == SQLite && len(names) == 2 { // there the index has the schema before its name
		schema, on = `"`+names[0]+`".`, `"`+name+`"`
	}
	return []string{
		"CREATE TABLE IF NOT EXISTS " + table + " (\n\t" + strings.Join(lines, ",\n\t") + "\n)",
		"CREATE INDEX IF NOT EXISTS " + schema + indexName(name, "at") + " ON " + on + " (at)",
		"CREATE INDEX IF NOT EXISTS " + schema + indexName(name, "grant_at") + " ON " + on + " (grant_id, at)",
	}, nil
}

// indexName leaves room for the suffix in the 63 bytes that Postgres keeps of a name.
func indexName(table, suffix string) string {
	return `"` + table[:min(len(table), 62-len(suffix))] + "_" + suffix + `"`
}
