package main

import (
	"context"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// ownSchemas are on the server of the tests.
type ownSchemas struct{ t *testing.T }

func (s ownSchemas) newSchema(context.Context, world) (string, bool, error) {
	return pgtest.DSN(s.t), false, nil
}

// small is a bench in which every page is there, and few rows are behind it.
func small(t *testing.T) *bench {
	t.Helper()
	b := &bench{options: options{rows: 30_000, rounds: 1, buffers: "32MB"}, server: ownSchemas{t}}
	b.say = func(format string, args ...any) { t.Logf(format, args...) }
	return b
}

func TestTablesAreMadeWithoutWhatSlowsTheirFillingDown(t *testing.T) {
	for _, statement := range tables() {
		if strings.Contains(statement, "REFERENCES") || strings.Contains(statement, "uuid PRIMARY KEY") {
			t.Errorf("a table has its keys before its rows:\n%s", statement)
		}
	}
	if tables, keys := len(tables()), len(keys()); keys != tables-1 { // team_members has a key of two columns
		t.Errorf("%d of %d tables get a key", keys, tables)
	}
}
