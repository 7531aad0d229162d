package main

import (
	"context"
	"database/sql"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/internal/demo"
)

// openDatabase makes a database in the memory of this process: the rows of the demo, and
// the tables of grants and tickets. It is gone when it is closed.
func openDatabase(ctx context.Context, name string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:/fedkit-enroll-"+name+"?vfs=memdb&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // the database lives as long as its connection
	if err := fill(ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func fill(ctx context.Context, db *sql.DB) error {
	tables, err := sqlstore.DDL(sqlstore.SQLite, "")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range append(demo.DDL(demo.SQLite, ""), tables...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := demo.Load(ctx, tx, demo.SQLite, "", demo.BuiltIn()); err != nil {
		return err
	}
	return tx.Commit()
}
