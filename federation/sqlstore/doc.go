// Package sqlstore keeps the grants of package grants and the tickets of package enroll
// in Postgres or SQLite, for gateways that run in more than one process or must remember
// whom they let in.
//
//	store, err := sqlstore.NewGrants(ctx, sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Prepared: true})
//	// ...
//	defer store.Close()
//	registrar, err := grants.NewRegistrar(grants.Config{Store: store, Registry: scope.Standard()})
//	// ...
//	authenticator, err := mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
//
// # Guarantees
//
// A [Grants] is a [grants.Store], and passes package grantstest on both databases. Each
// change is one statement that compares the revision and stores the next one, so
// any number of processes may share the table. A revoked grant is never written again.
//
// A [Tickets] is an [enroll.Tickets], and passes package enrolltest. One statement uses a
// ticket, whatever process asks.
//
// # Limits
//
// The tables are the host's: [DDL] has the statements that make them, for its migrations,
// and the constructor refuses a database whose tables or columns are missing. The package
// drops and alters nothing.
//
// A grant that was revoked counts from the next look-up on, if that look-up sees it: give
// the pool of the primary, not of a replica that lags behind.
//
// A page costs two look-ups of its grant. Without Config.Prepared, which a pooler in
// front of Postgres may not support, lib/pq makes two round trips of each, and the server
// parses and plans it. The parameter binary_parameters=yes of lib/pq's data source name
// makes it one round trip, and spares no plan; behind a pooler in transaction mode it is
// required, or lib/pq's statements and arguments are mixed up with others'.
//
// A prepared look-up fails on connections that are older than another type of one of the
// table's columns, as Postgres says: "cached plan must not change result type". Start the
// program anew after such a change.
//
// Postgres takes times as timestamptz. SQLite takes them as integers of microseconds
// since 1970, and needs version 3.37 for its STRICT tables.
package sqlstore
