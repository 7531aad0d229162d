// Package drivertest runs the suite of internal/lawtest on the drivers that the
// root module does not depend on: SQLite by modernc.org/sqlite, and Postgres by
// pgx's database/sql driver. It has tests only.
package drivertest
