package auditsql_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/auditsql"
)

// What the table does on each database is held by internal/lawtest.

type brokenDatabase struct{}

var errBroken = errors.New("the database is broken")

func (brokenDatabase) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errBroken
}

func TestAnErrorOfTheDatabaseIsOneOfTheAuditor(t *testing.T) {
	a, err := auditsql.New(brokenDatabase{}, auditsql.Config{Dialect: auditsql.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Audit(t.Context(), federation.Record{}); !errors.Is(err, errBroken) {
		t.Errorf("Audit returns %v", err)
	}
}

func TestAnAuditorNeedsADatabaseADialectAndAName(t *testing.T) {
	good := auditsql.Config{Dialect: auditsql.Postgres, Table: "app.audit"}
	if _, err := auditsql.New(brokenDatabase{}, good); err != nil {
		t.Errorf("%+v is refused: %v", good, err)
	}
	if a, err := auditsql.New(nil, good); a != nil || err == nil {
		t.Error("no database is accepted")
	}
	for _, cfg := range []auditsql.Config{
		{}, {Dialect: 3}, {Dialect: auditsql.Postgres, Table: "a.b.c"}, {Dialect: auditsql.Postgres, Table: "a b"},
		{Dialect: auditsql.SQLite, Table: `a"; DROP TABLE b; --`}, {Dialect: auditsql.SQLite, Table: "."}, {Dialect: auditsql.SQLite, Table: " "},
	} {
		if a, err := auditsql.New(brokenDatabase{}, cfg); a != nil || err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
		if ddl, err := auditsql.DDL(cfg); ddl != nil || err == nil {
			t.Errorf("%+v has the DDL %q", cfg, ddl)
		}
	}
}

// A field that is added to the record must not be forgotten here. Known is for metrics:
// it follows from the code.
func TestTheTableHasEveryFieldOfARecordButOne(t *testing.T) {
	var args []any
	a, err := auditsql.New(recording{&args}, auditsql.Config{Dialect: auditsql.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Audit(t.Context(), federation.Record{}); err != nil {
		t.Fatal(err)
	}
	if fields := reflect.TypeFor[federation.Record]().NumField(); len(args) != fields-1 {
		t.Errorf("a record has %d fields, and the statement %d arguments", fields, len(args))
	}
}

type recording struct{ args *[]any }

func (r recording) ExecContext(_ context.Context, _ string, args ...any) (sql.Result, error) {
	*r.args = args
	return nil, nil
}
