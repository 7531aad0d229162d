package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// A database is where the gateway reads: its rows and its grants.
type database struct {
	pool    *sql.DB
	dialect listquery.Dialect
	schema  listquery.Schema // what the tables are called
	grants  string           // what the table of grants is called
	about   string           // for the banner
	close   func()
}

// openDatabase opens the database that was asked for, with data in it.
func openDatabase(ctx context.Context, asked arguments) (*database, error) {
	data, about, err := asked.data()
	if err != nil {
		return nil, err
	}
	if asked.db == "" {
		return openSQLite(ctx, data, about)
	}
	return openPostgres(ctx, asked, data, about)
}

// data returns what an empty database is filled with, and what to call it.
func (a arguments) data() (data demo.Data, about string, err error) {
	if a.fixture == "" {
		return demo.BuiltIn(), "the built-in demo data", nil
	}
	file, err := os.Open(a.fixture)
	if err != nil {
		return demo.Data{}, "", fmt.Errorf("the fixture cannot be read: %w", err)
	}
	defer file.Close()
	data, err = demo.Parse(file)
	if err != nil {
		return demo.Data{}, "", fmt.Errorf("the fixture %s: %w", a.fixture, err)
	}
	return data, "the data of " + a.fixture, nil
}

// fill makes the tables of the standard schema and puts the data into them.
func fill(ctx context.Context, tx *sql.Tx, dialect demo.Dialect, schema string, data demo.Data) error {
	for _, statement := range demo.DDL(dialect, schema) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return demo.Load(ctx, tx, dialect, schema, data)
}
