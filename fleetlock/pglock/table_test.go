package pglock_test

import (
	"database/sql"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

func TestATableThatIsNotAsItShouldBeIsAnErrorOfNew(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, change string }{
		{"not there", `DROP TABLE fleetlock`},
		{"without a column", `ALTER TABLE fleetlock DROP COLUMN token`},
		{"with a column more that must be given", `ALTER TABLE fleetlock ADD COLUMN more text NOT NULL`},
		{"with a column of another type", `ALTER TABLE fleetlock DROP COLUMN ends, ADD COLUMN ends text[]`},
		{"without a key", `ALTER TABLE fleetlock DROP CONSTRAINT fleetlock_pkey`},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := open(t, pgtest.DSN(t), true)
			db.SetMaxOpenConns(1)
			if _, err := db.Exec(test.change); err != nil {
				t.Fatal(err)
			}
			if _, err := pglock.New(t.Context(), pglock.Config{DB: db}); err == nil {
				t.Errorf("a table is taken that is %s", test.name)
			}
		})
	}
}

func TestWhatIsWrongWithTheConfigIsAnErrorOfNew(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.DSN(t), true)
	for _, test := range []struct {
		name string
		cfg  pglock.Config
	}{
		{"no pool", pglock.Config{}},
		{"a schema that is no name", pglock.Config{DB: db, Schema: `a"; DROP`}},
		{"a negative time", pglock.Config{DB: db, Poll: -1}},
		{"a data source name that is none", pglock.Config{DB: db, Listen: "postgres://%"}},
	} {
		if _, err := pglock.New(t.Context(), test.cfg); err == nil {
			t.Errorf("New takes %s", test.name)
		}
	}
}

func TestTheTableCanStandInASchema(t *testing.T) {
	t.Parallel()
	schema, dsn := pgtest.Schema(t)
	db, err := sql.Open("postgres", dsn+"&search_path=public")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ddl, err := pglock.DDL(schema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ddl); err != nil {
		t.Fatal(err)
	}
	newRegister(t, pglock.Config{DB: db, Schema: schema})
}
