package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A request is one page that every contender reads.
type request struct {
	subject string
	teams   []string
	after   *key  // of the last row before the page; nil is the first page
	offset  int   // how many rows are before the page
	keys    []key // of the rows of the page, and of the row behind it
}

// A key is what a cursor holds: a place in the order.
type key struct {
	block   int // of memory
	created time.Time
	id      string
}

// lastPage is the depth of the page that has the list's last rows.
const lastPage = 1

// find makes a request of a cell. How many rows show is asked by the plainest of all
// statements, and so are the rows of the page.
func find(ctx context.Context, db *sql.DB, c cell) (request, error) {
	q := request{subject: c.subject, teams: c.grant.teams}
	args := c.resource.arguments(q)
	visible, behind := c.resource, 0
	switch {
	case c.depth == firstPage:
	case c.byTime:
		visible.visible += fmt.Sprintf(" AND created_at < '%s'", timeAt(c.depth).Format(time.RFC3339Nano))
		behind = 1
	default:
		var rows int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+c.resource.from+" WHERE "+c.resource.visible, args...).Scan(&rows)
		if err != nil {
			return q, err
		}
		q.offset = int(c.depth * float64(rows))
		if c.depth == lastPage {
			q.offset = max(0, rows-pageRows-1)
		}
		behind = min(q.offset, 1)
	}
	text := fmt.Sprintf("%s OFFSET %d LIMIT %d", visible.selection(strings.Join(c.resource.keys, ", ")), max(0, q.offset-behind), behind+pageRows+1)
	keys, err := readKeys(ctx, db, text, args, len(c.resource.keys))
	if err != nil {
		return q, err
	}
	if behind > 0 && len(keys) > 0 {
		q.after, keys = &keys[0], keys[1:]
	}
	q.keys = keys
	return q, nil
}

// timeAt is the time that a share of all rows is newer than, in a world that is even.
func timeAt(share float64) time.Time {
	passed := time.Duration((1-share)*spanMicroseconds) * time.Microsecond
	return time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).Add(passed)
}

func readKeys(ctx context.Context, db *sql.DB, text string, args []any, columns int) ([]key, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []key
	for rows.Next() {
		var k key
		targets := []any{&k.block, &k.created, &k.id}
		if err := rows.Scan(targets[len(targets)-columns:]...); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// filter is the request in the words of fedkit.
func (q request) filter(r resource) scope.Filter {
	return scope.Filter{Resource: r.name, Subject: q.subject, Personal: true, Teams: q.teams, Limit: pageRows}
}

// position is where the page starts, in the words of fedkit.
func (q request) position(r resource) cursor.Position {
	if q.after == nil {
		return nil
	}
	id, err := cursor.ParseUUID(q.after.id)
	if err != nil {
		panic(err) // it came from a column of type uuid
	}
	p := cursor.Position{cursor.TimeValue(q.after.created), cursor.UUIDValue(id)}
	if len(r.keys) > len(p) {
		p = append(cursor.Position{cursor.EnumValue(q.after.block)}, p...)
	}
	return p
}
