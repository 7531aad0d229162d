// Package pglock keeps locks of package fleetlock in a table of PostgreSQL, for fleets
// whose machines share a database.
//
//	register, err := pglock.New(ctx, pglock.Config{DB: db, Listen: dsn})
//	if err != nil {
//		return err
//	}
//	defer register.Close()
//	lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second))
//
// A lock is one row. Each transition is one statement, which compares the version of the
// row and replaces it, on the clock of the server: an acquisition and a release that
// nobody disputes cost one each. The statements are whole transactions of their own, so a
// pooler in transaction mode will do, with binary_parameters=yes in lib/pq's data source
// name: without it lib/pq sends a statement and its arguments in two turns, between which
// the pooler may take the connection away. LISTEN needs a connection past the pooler, see
// Config.Listen.
//
// # What fails
//
// A connection that breaks between the commit and the answer leaves it open whether a
// grant was made. It is looked up, by a mark that each grant has, before anything else
// is done. A server that restarts costs its holders nothing if it is back before their
// deadlines, three quarters of a lease after their last renewal; those who wait look
// again.
//
// After a failover the locks are as safe as the commits: with synchronous replication
// (synchronous_commit at its default or higher and synchronous_standby_names set, and
// the standby that is promoted is one of those) a promoted standby has every grant. A
// commit whose wait for the standby ends with the context of a call is on the primary
// alone: it counts only once the standby has it. A wait that an operator has ended by
// pg_cancel_backend cannot be told: to Postgres that is a commit.
// With asynchronous replication it may lack the last ones. Then two can hold the lock
// until the first one renews, which is when it learns that its grant is lost; that is a
// quarter of a lease at most. Tokens rise also over that, as long as the clock of the new
// server is not behind by more than the failover took: a token is not below the time of
// its grant in microseconds. An old primary that is cut off and goes on taking commits
// is another server with other locks: fence it, as its own documentation says.
//
// Leases are counted on the clock of the server, where it may be set and may differ
// between primary and standby. Holders have a quarter of a lease to spare; a clock that
// is put forward by more, while the lock is held, lets another in before the deadline.
package pglock
