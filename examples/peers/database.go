package main

import (
	"context"
	"database/sql"
	"errors"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mosaicstack/fedkit/internal/demo"
)

// openDatabase makes a database with the data, in the memory of this process.
func openDatabase(ctx context.Context, data demo.Data) (*sql.DB, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a database of its own
	for _, statement := range demo.DDL(demo.SQLite, "") {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if err := demo.Load(ctx, db, demo.SQLite, "", data); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
