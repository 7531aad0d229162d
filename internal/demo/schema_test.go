package demo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ExampleDDL() {
	for _, dialect := range []Dialect{Postgres, SQLite} {
		statements := DDL(dialect, "")
		fmt.Println(statements[slices.Index(Tables(), "preferences")])
	}
	// Output:
	// CREATE TABLE preferences (
	// 	id         uuid PRIMARY KEY,
	// 	user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
	// 	key        text NOT NULL,
	// 	value      jsonb NOT NULL,
	// 	category   text NOT NULL,
	// 	source     text,
	// 	mutable    boolean NOT NULL,
	// 	created_at timestamptz NOT NULL,
	// 	updated_at timestamptz NOT NULL
	// )
	// CREATE TABLE preferences (
	// 	id         TEXT PRIMARY KEY,
	// 	user_id    TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
	// 	key        TEXT NOT NULL,
	// 	value      TEXT NOT NULL,
	// 	category   TEXT NOT NULL,
	// 	source     TEXT,
	// 	mutable    INTEGER NOT NULL,
	// 	created_at INTEGER NOT NULL,
	// 	updated_at INTEGER NOT NULL
	// ) STRICT
}

var (
	createTable = regexp.MustCompile(`(?s)^CREATE TABLE (\w+) \((.*)\)`)
	columnLine  = regexp.MustCompile(`(?m)^\t([a-z_]+) +[a-z]`)
)

// What columns() says is read and stored must be what the schema has.
func TestTheRowsHaveTheColumnsOfTheSchemaInItsOrder(t *testing.T) {
	t.Parallel()
	want, got := map[string][]string{}, map[string][]string{}
	for _, statement := range DDL(Postgres, "") {
		if table := createTable.FindStringSubmatch(statement); table != nil {
			for _, line := range columnLine.FindAllStringSubmatch(table[2], -1) {
				want[table[1]] = append(want[table[1]], line[1])
			}
		}
	}
	for _, table := range new(Data).tables() {
		for _, c := range table.grow() {
			got[table.name] = append(got[table.name], c.name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the schema and the rows (-schema +rows):\n%s", diff)
	}
}

func TestAColumnMayBeNullWhereTheRowMay(t *testing.T) {
	t.Parallel()
	for i, table := range new(Data).tables() {
		statement := DDL(Postgres, "")[i]
		for _, c := range table.grow() {
			line := regexp.MustCompile(`(?m)^\t` + c.name + ` .*$`).FindString(statement)
			required := strings.Contains(line, "NOT NULL") || strings.Contains(line, "PRIMARY KEY")
			if required == c.nullable() {
				t.Errorf("%s.%s: the schema says %q, the row says nullable: %t", table.name, c.name, strings.TrimSpace(line), c.nullable())
			}
			if refers := regexp.MustCompile(`REFERENCES (\w+)`).FindStringSubmatch(line); (refers == nil) != (c.refers == "") ||
				refers != nil && refers[1] != c.refers {
				t.Errorf("%s.%s: the schema says %q, the row says that it refers to %q", table.name, c.name, strings.TrimSpace(line), c.refers)
			}
		}
	}
}

func TestANameOfASchemaCannotEndItsQuotes(t *testing.T) {
	t.Parallel()
	want := `CREATE TABLE "a""b".users (`
	if got, _, _ := strings.Cut(DDL(Postgres, `a"b`)[0], "\n"); got != want {
		t.Errorf("a table in the schema a\"b is made by %s, not by %s", got, want)
	}
}

func TestWhatNoDatabaseHasIsAPanic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		dialect Dialect
		schema  string
	}{
		{"no dialect", "", ""},
		{"an unknown dialect", "mysql", ""},
		{"a schema in SQLite", SQLite, "demo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Errorf("DDL(%q, %q) returns", test.dialect, test.schema)
				}
			}()
			DDL(test.dialect, test.schema)
		})
	}
}
