package listquery

import (
	"encoding/json"
	"fmt"

	"github.com/Masterminds/squirrel"
	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/cursor"
)

// A Dialect is the SQL that a database speaks. The zero Dialect is none.
type Dialect uint8

const (
	// Postgres is PostgreSQL. Version 15 is tested; the SQL is that of version 12.
	Postgres Dialect = iota + 1
	// SQLite is SQLite with row values and JSON functions: version 3.38, by its
	// manual.
	SQLite
)

var dialects = [...]Dialect{Postgres, SQLite}

// String returns the name of the dialect.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "Postgres"
	case SQLite:
		return "SQLite"
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// memberOf is the condition that column holds one of the ids in a single array
// argument. One argument, however many ids, because a parameter for each is limited
// to 65,535 by the protocol of Postgres and to 32,766 by SQLite.
func (d Dialect) memberOf(column string) string {
	if d == Postgres {
		return column + " = ANY(?)"
	}
	return column + " IN (SELECT value FROM json_each(?))"
}

// array is the argument that memberOf expects.
func (d Dialect) array(ids []string) any {
	if d == Postgres {
		return pq.StringArray(ids)
	}
	text, _ := json.Marshal(ids) // a []string always encodes
	return string(text)
}

// selectTime is the expression that reads a column of times. Postgres knows infinity
// and years that RFC 3339 cannot write; where null may stand for them it does, since
// one such row must not cost its readers the page.
func (d Dialect) selectTime(column string, nullable bool) string {
	if d == Postgres && nullable {
		return "CASE WHEN " + column + " BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00' THEN " + column + " END"
	}
	return column
}

// position is v as an argument that compares with a column of its kind.
func (d Dialect) position(v cursor.Value) any {
	switch v.Kind() {
	case cursor.KindTime:
		if d == SQLite {
			return v.Time().UnixMicro()
		}
		return v.Time()
	case cursor.KindInt64:
		return v.Int64()
	case cursor.KindUUID:
		return v.UUID().String()
	default:
		return v.Text()
	}
}

// branch is a limited SELECT as a member of UNION ALL. SQLite allows no parentheses
// there; in Postgres a subquery would fix the type of a bare NULL as text.
func (d Dialect) branch(query squirrel.Sqlizer) squirrel.Sqlizer {
	if d == Postgres {
		return squirrel.Expr("(?)", query)
	}
	return squirrel.Expr("SELECT * FROM (?)", query)
}
