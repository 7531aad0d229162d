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
//   - the columns of the order are indexed together, in that order.
//
// One page is one statement, hence one snapshot, at every isolation level: a project
// that changes hands between two statements can leak nothing. Pages of one list are
// separate statements; each is decided by what is true when it runs.
//
// The teams of a filter were looked up before. To hold the membership itself to the
// page's snapshot, set [Schema].TeamsOfMembersOnly, as a gateway that takes its teams
// from [Store.ReadAccess] should.
//
// # Caveats
//
// The statement of tasks and of resources like it walks the order and leaves out what
// does not show. A filter that shows little of a large table therefore reads much of
// it for a page: among 200,000 tasks, three of them visible, a page took about 0.2
// seconds on a small machine, where one of a filter that shows most took 1 millisecond.
// Give such statements a deadline, and limit their rate.
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
