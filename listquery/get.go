package listquery

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// Get reads the row whose key is id as a JSON object, if the filter shows it: exactly
// if it stands in the complete list of the filter. The id is written as the rows write
// it, a uuid in lower case. The filter's limit plays no part. The caller owns the row.
//
// A row that is not there and one that does not show are the same to it: false, and
// no error. An id that no key can be and a filter that shows nothing are answered
// without asking the database.
func (s *Store) Get(ctx context.Context, filter scope.Filter, id string) (json.RawMessage, bool, error) {
	r, ok := s.resources[filter.Resource]
	if !ok {
		return nil, false, fmt.Errorf("%w: %q", ErrUnknownResource, filter.Resource)
	}
	return r.getJSON(ctx, s, filter, id)
}

// getJSON reads one row.
func (r *Resource[T]) getJSON(ctx context.Context, s *Store, f scope.Filter, id string) (json.RawMessage, bool, error) {
	key, ok := parseKey(r.plan.keyKind(), id)
	if !ok || f.Empty() {
		return nil, false, nil
	}
	st := r.single[shape{personal: f.Personal, teams: len(f.Teams) > 0, dialect: s.dialect}]
	if st == nil {
		return nil, false, nil
	}
	var text json.RawMessage
	err := s.session.query(ctx, st, st.arguments(f, cursor.Position{key}, 0), func(rows *sql.Rows) (err error) {
		text, err = r.scanRow(rows, key)
		return err
	})
	if err != nil {
		return nil, false, failure(ctx, "get one of "+r.Name(), err)
	}
	return text, text != nil, nil
}

// scanRow encodes the one row that there may be. The result is nil if there is none.
func (r *Resource[T]) scanRow(rows *sql.Rows, key cursor.Value) (json.RawMessage, error) {
	var row T
	var block int
	if !rows.Next() {
		return nil, nil // why, the rows will tell
	}
	if err := rows.Scan(r.targets(&row, &block)...); err != nil {
		return nil, err
	}
	if r.columns[r.plan.keyColumn()].value(&row) != key {
		return nil, nil // by the column's collation the same, but not as lists write it
	}
	if r.setBlock != nil {
		r.setBlock(&row, block)
	}
	return r.encode(nil, &row)
}

// defineGet has squirrel write the statement of one row for every shape of filter.
func (r *Resource[T]) defineGet() error {
	r.single = make(map[shape]*statement)
	for _, d := range dialects {
		for _, personal := range []bool{false, true} {
			for _, teams := range []bool{false, true} {
				s := shape{personal: personal, teams: teams, dialect: d}
				query, err := r.plan.rowQuery(s)
				if err != nil {
					return err
				}
				if query == nil {
					continue
				}
				if r.single[s], err = newStatement(d, query); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// rowQuery is the SELECT of one row by its key, or nil if no row can show. Should two
// tables of a resource have the same key, the row that is listed first is the one.
func (p *plan) rowQuery(s shape) (squirrel.Sqlizer, error) {
	var branches []any
	for number := range p.blocks {
		branch, err := p.rowBranch(s, number)
		if err != nil {
			return nil, err
		}
		if branch != nil {
			branches = append(branches, branch)
		}
	}
	switch len(branches) {
	case 0:
		return nil, nil
	case 1:
		return branches[0].(squirrel.Sqlizer), nil
	}
	return squirrel.Expr(repeat("?", " UNION ALL ", len(branches))+" ORDER BY 1 LIMIT 1", branches...), nil
}

// rowBranch selects the row of one block under the same conditions as its pages.
func (p *plan) rowBranch(s shape, number int) (squirrel.Sqlizer, error) {
	b := p.blocks[number]
	const listed alias = 0
	visible, err := b.visible.render(listed, terms{shape: s})
	if visible == nil || err != nil {
		return nil, err
	}
	table, err := quoteTable(b.table)
	if err != nil {
		return nil, err
	}
	columns, err := p.selectList(s.dialect, number)
	if err != nil {
		return nil, err
	}
	keys := p.orderColumns(b, listed)
	// The key stands where a page has the order columns of its position. Integers of a
	// column may be smaller than those of an id, which is then the key of no row.
	id := "?"
	if s.dialect == Postgres && p.keyKind() == intKind {
		id = castTo(id, "bigint")
	}
	key := squirrel.Expr(keys[len(keys)-1]+" = "+id, slot{kind: positionSlot})
	query := squirrel.Select(columns...).From(table + " AS " + listed.String()).Where(key).Where(visible)
	if host := b.hostCondition(); host != nil {
		query = query.Where(host)
	}
	return query, nil
}

// keyColumn is the index of the key among the columns.
func (p *plan) keyColumn() int { return p.order[len(p.order)-1] }

func (p *plan) keyKind() kind { return p.blocks[0].selected[p.columns[p.keyColumn()]].kind }

// parseKey reads a key in the one spelling in which rows write it. What has another
// is the key of no row.
func parseKey(k kind, id string) (cursor.Value, bool) {
	switch k {
	case uuidKind:
		u, err := cursor.ParseUUID(id)
		return cursor.UUIDValue(u), err == nil && u.String() == id
	case intKind:
		n, err := strconv.ParseInt(id, 10, 64)
		return cursor.Int64Value(n), err == nil && strconv.FormatInt(n, 10) == id
	case timeKind:
		t, err := time.Parse(time.RFC3339Nano, id)
		exact := t.Equal(t.Truncate(time.Microsecond))
		return cursor.TimeValue(t), err == nil && exact && t.UTC().Format(time.RFC3339Nano) == id
	case textKind:
		return cursor.TextValue(id), utf8.ValidString(id) && strings.IndexByte(id, 0) < 0
	}
	return cursor.Value{}, false
}
