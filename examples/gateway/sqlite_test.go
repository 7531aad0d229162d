package main

import (
	"context"
	"os"
	"testing"

	"github.com/mosaicstack/fedkit/internal/demo"
)

func TestTheSQLiteDatabaseIsReadOnlyAndNoFile(t *testing.T) {
	db, err := openSQLite(context.Background(), demo.BuiltIn(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	if _, err := db.pool.Exec("DELETE FROM tasks"); err == nil {
		t.Error("the gateway's pool can delete tasks, want it to read only")
	}
	if _, err := os.Stat("/fedkit"); err == nil {
		t.Error("the database in memory is a file on the disk")
	}
}
