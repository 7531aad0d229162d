package pgtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTwoSchemasOfOneTestDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	for range 2 {
		db := Open(t)
		if _, err := db.Exec("CREATE TABLE things (id int PRIMARY KEY)"); err != nil {
			t.Fatalf("a new schema has no room for the table things: %v", err)
		}
	}
}

func TestEveryConnectionToADSNWorksInItsSchema(t *testing.T) {
	t.Parallel()
	name, dsn := Schema(t)
	for range 3 {
		db := open(t, dsn)
		var current string
		if err := db.QueryRow("SELECT current_schema()").Scan(&current); err != nil {
			t.Fatal(err)
		}
		if current != name {
			t.Errorf("a connection works in the schema %s, not in %s", current, name)
		}
	}
}

func TestASchemaIsDroppedWithAllItHoldsWhenItsTestEnds(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("a test", func(t *testing.T) {
		var dsn string
		name, dsn = Schema(t)
		if _, err := open(t, dsn).Exec("CREATE TABLE things (id int PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	})
	var left int
	if err := Open(t).QueryRow("SELECT count(*) FROM pg_namespace WHERE nspname = $1", name).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("the schema %s outlives the test that asked for it", name)
	}
}

func TestTestsThatRunInParallelHaveTheirSchemas(t *testing.T) {
	t.Parallel()
	sharedServer(t)
	const tests = 20
	var names sync.Map
	t.Run("all", func(t *testing.T) {
		for range tests {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				name, dsn := Schema(t)
				names.Store(name, true)
				if _, err := open(t, dsn).Exec("CREATE TABLE things (id int PRIMARY KEY)"); err != nil {
					t.Error(err)
				}
			})
		}
	})
	count := 0
	names.Range(func(any, any) bool { count++; return true })
	if count != tests {
		t.Errorf("%d tests had %d schemas", tests, count)
	}
}

func TestTheSearchPathIsAddedToADSN(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, dsn, want string }{
		{"to a URL", "postgres://u:p@h:1/d", "postgres://u:p@h:1/d?search_path=s"},
		{"to a URL with parameters", "postgresql://h/d?sslmode=disable", "postgresql://h/d?search_path=s&sslmode=disable"},
		{"to a URL that has one", "postgres://h/d?search_path=other", "postgres://h/d?search_path=s"},
		{"to a list of pairs", "host=h dbname=d", "host=h dbname=d search_path=s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, withSearchPath(test.dsn, "s")); diff != "" {
				t.Errorf("the schema s in %s (-want +got):\n%s", test.dsn, diff)
			}
		})
	}
}

func TestADSNFromTheEnvironmentIsUsedAndAServerThatDoesNotAnswerIsAFailure(t *testing.T) {
	private := NewCluster(t)
	t.Setenv(dsnVariable, private.DSN())
	s, err := connect()
	if err != nil {
		t.Fatalf("the server of %s is not used: %v", dsnVariable, err)
	}
	defer s.db.Close()
	if s.cluster != nil || s.dsn != private.DSN() {
		t.Errorf("with %s set to %s the server is %+v", dsnVariable, private.DSN(), s)
	}
	private.Stop(t)
	if s, err := connect(); err == nil {
		s.db.Close()
		t.Errorf("a server that is down is accepted")
	} else if errors.Is(err, errNotInstalled) {
		t.Errorf("a server that is down would make tests skip: %v", err)
	}
}

// outcome is a test that records how it ends.
type outcome struct {
	testing.TB
	skipped, failed bool
}

func (o *outcome) Helper()      {}
func (o *outcome) Skip(...any)  { o.skipped = true; panic(o) }
func (o *outcome) Fatal(...any) { o.failed = true; panic(o) }

func TestOnlyAMissingServerSkipsAndOnlyWhereNoneIsRequired(t *testing.T) {
	broken := errors.New("the server does not start")
	for _, test := range []struct {
		name     string
		required string
		err      error
		skips    bool
	}{
		{"no server", "", errNotInstalled, true},
		{"no server where one is required", "1", errNotInstalled, false},
		{"a broken server", "", broken, false},
		{"a broken server where one is required", "1", broken, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(requireVariable, test.required)
			end := new(outcome)
			func() {
				defer func() {
					if recover() != end {
						t.Errorf("the test goes on without a server")
					}
				}()
				giveUp(end, test.err)
			}()
			if end.skipped != test.skips || end.failed == test.skips {
				t.Errorf("with %s=%q and the error %q: skipped %t, failed %t", requireVariable, test.required, test.err, end.skipped, end.failed)
			}
		})
	}
}

func TestTheServersTimeZoneIsNotTheUsualOne(t *testing.T) {
	t.Parallel()
	c := NewCluster(t)
	var at time.Time
	if err := open(t, c.DSN()).QueryRow("SELECT '2026-01-01T00:00:00Z'::timestamptz").Scan(&at); err != nil {
		t.Fatal(err)
	}
	if _, offset := at.Zone(); offset == 0 {
		t.Errorf("the server answers in UTC, so a test that forgets a zone would pass: %s", at)
	}
}
