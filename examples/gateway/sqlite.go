package main

import (
	"context"
	"database/sql"
	"fmt"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// sqliteFile names a database in the memory of this process, which all connections
// share (https://sqlite.org/src/file/src/memdb.c). It is no file: nothing is left
// behind, whatever ends the program.
const sqliteFile = "file:/fedkit?vfs=memdb"

// sqliteReaders is how many requests read at once; the rest wait for their turn.
const sqliteReaders = 8

// openSQLite makes a database that holds the data, and returns it for reading.
func openSQLite(ctx context.Context, data demo.Data, about string) (*database, error) {
	// The database lives as long as its last connection, which is the owner's.
	owner, err := sql.Open("sqlite", sqliteFile)
	if err != nil {
		return nil, err
	}
	owner.SetMaxOpenConns(1)
	if err := fillSQLite(ctx, owner, data); err != nil {
		owner.Close()
		return nil, fmt.Errorf("the SQLite database cannot be filled: %w", err)
	}
	readers, err := sql.Open("sqlite", sqliteFile+"&mode=ro")
	if err != nil {
		owner.Close()
		return nil, err
	}
	readers.SetMaxOpenConns(sqliteReaders)
	readers.SetMaxIdleConns(sqliteReaders)
	return &database{
		pool:    readers,
		dialect: listquery.SQLite,
		grants:  "grants",
		about:   about + " in SQLite, in memory",
		close:   func() { readers.Close(); owner.Close() },
	}, nil
}

func fillSQLite(ctx context.Context, owner *sql.DB, data demo.Data) error {
	tx, err := owner.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fill(ctx, tx, demo.SQLite, "", data); err != nil {
		return err
	}
	return tx.Commit()
}
