// Package listquery reads one page of a resource at a time, for a caller who may see
// only part of it.
//
// A [Resource] says which table and columns its rows come from, in which order they
// are listed and who may see them. [Define] has squirrel build every statement that
// the resource will ever need, once; a request only fills in arguments. A [Store]
// runs the statements on Postgres or SQLite, through a *sql.DB, *sql.Tx or *sql.Conn.
//
// What a request may see comes in as a [scope.Filter]: the subject, whether the
// subject's personal rows count, and the teams that count. The zero filter shows
// nothing. All conditions are in the statement, none is applied to rows afterwards,
// so a page is full whenever enough visible rows remain.
//
// # Pages
//
// Pages follow a keyset: the position of a page is the order columns of the last row
// before it, compared as one row value, (created_at, id) < ($1, $2). A row that stays
// visible is therefore listed exactly once, whatever is inserted or deleted between
// two pages, and a row deleted at the boundary changes nothing. This asks three
// things of the table:
//
//   - the key column is unique and never null; [Define] refuses an order without it;
//   - the columns of the order are never null, and rows keep their values in them. A
//     row whose order columns change while a client pages may be missed or repeated;
//   - the indexes that [Indexes] lists are there, see below.
//
// One page is what one statement says, hence one snapshot, at every isolation level: a
// project that changes hands between two statements can leak nothing. Pages of one list
// are separate statements; each is decided by what is true when it runs.
//
// The teams of a filter were looked up before. To hold the membership itself to the
// page's snapshot, set [Schema].TeamsOfMembersOnly, as a gateway that takes its teams
// from [Store.ReadAccess] should.
//
// # Errors
//
// What is asked wrongly is [ErrUnknownResource], [ErrLimit] or [ErrPosition], and costs no
// statement; a store that was closed says [ErrClosed]. An error of a statement matches that
// of the context if the context has ended, in whatever words the driver puts it, and else
// [scope.ErrUnavailable] if the database is out of reach or cannot answer now: after a
// timeout of its own, a deadlock, a shutdown. The driver's error is in the chain, for logs.
// Beside an error there are neither rows nor a position.
//
// # Cost
//
// In Postgres a page costs what its rows cost, at any depth, and whatever else the table
// holds. Its statement looks around first and then goes the way that is cheap for the
// filter: it merges the newest rows of each project, say, or walks through the order,
// and changes over where a walk does not find a page within some 1500 rows, or 9000 of
// the index alone. A store remembers the ways of some thousand filters, so that most
// pages are read by a short statement that can go this one way. Where it does not fill
// the page, all that it found is thrown away and the page is read anew by the statement
// that looks around: so are the last pages of lists that are walked. docs/bench-list.md
// has the measurements, also of what is slower: many teams whose rows are few or all old.
//
// That needs indexes. [Indexes] lists them and [Store.Check] says which are missing: call
// it when a program starts, and not when the table has grown.
//
// It needs no statistics, and no plan for particular arguments. It does need that
// tables are vacuumed: rows that were written since are looked up twice. And planning
// is about half of the cost of an unprepared page, some 1 millisecond: set
// [Config].Prepared unless a pooler forbids it. A prepared statement takes some 1.3
// megabytes in the database for each connection, or 0.2 to 0.5 if it goes one way; a store
// prepares two to eight for each resource, kind of filter and size of page (up to 128 rows,
// up to 1024, more) that it meets, and one for Get.
//
// # Caveats
//
// Some filters cost more than their page:
//
//   - Where very many values show and few rows, as of 5,000 teams whose rows are all
//     old, each value is looked up, at some 2 microseconds each.
//   - A visibility for which there is no way but to look at each row is walked to the
//     end if need be: All of two parents, or of an author and an Any. So is a condition
//     Where that few rows meet, unless it has no arguments, for which [Indexes] makes
//     partial indexes.
//   - In a table that is partitioned by the order of its list, a walk looks into the index
//     of each partition on the way to its position, and a merge looks for each value in
//     one partition after the other until it has rows: few partitions are better.
//   - SQLite has no way but the walk: it cannot limit the rows that it reads for each
//     project. It walks an index, from the position of the page on, and looks up for
//     each row whether it shows; a filter that shows three rows of a large table reads
//     the table.
//
// Give such statements a deadline, or a [Config].StatementTimeout, and limit their rate.
//
// A page is held in memory, twice while it is encoded, and has no limit in bytes: if
// rows may be large, limit the rows of a grant.
//
// # Standard schema
//
// [Tasks], [Notes] and [Memory] are the resources of the Mosaic schema. Tables and
// columns may have other names, see [Schema]. A host adds resources of its own with
// [Define].
//
// # Drivers
//
// Postgres is tested with lib/pq and with pgx's database/sql driver, SQLite with
// modernc.org/sqlite. In SQLite times are INTEGER microseconds since 1970 in UTC, so
// that their order is exact; uuids are lower-case text, JSON is text.
package listquery
