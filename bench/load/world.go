package main

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/listquery"
)

// subject is the user whose tasks are listed.
const subject = "user-1"

//go:embed world.sql
var worldSQL string

// fill makes the tables, their indexes and the rows in an empty schema.
func fill(ctx context.Context, db *sql.DB, rows int) error {
	resources, err := listquery.Standard(schema)
	if err != nil {
		return err
	}
	grantTables, err := sqlstore.DDL(sqlstore.Postgres, "")
	if err != nil {
		return err
	}
	statements := append(demo.DDL(demo.Postgres, ""), grantTables...)
	statements = append(statements, strings.ReplaceAll(worldSQL, "{rows}", strconv.Itoa(rows)))
	statements = append(statements, listquery.Indexes(listquery.Postgres, resources...)...)
	for _, statement := range append(statements, "VACUUM ANALYZE") {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("filling the database: %w in %.80q", err, statement)
		}
	}
	return nil
}
