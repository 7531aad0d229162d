package listquery

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// MaxLimit is the largest number of rows that one page may have.
const MaxLimit = 10_000

// A Page is a run of rows in the order of their resource.
type Page[T any] struct {
	Items []T

	// Next is the position after the last item, or nil if no visible row was behind
	// it when the page was read.
	Next cursor.Position
}

// A request is one page that is asked of a store.
type request struct {
	ctx    context.Context
	store  *Store
	filter scope.Filter
	after  cursor.Position
}

// List reads the page of at most filter.Limit rows behind the position after; nil is
// the first page. The resource must be one of the store's.
//
// A filter that shows nothing gives an empty page without asking the database.
func (r *Resource[T]) List(ctx context.Context, s *Store, filter scope.Filter, after cursor.Position) (Page[T], error) {
	var page Page[T]
	if s.resources[r.Name()] != AnyResource(r) {
		return page, fmt.Errorf("%w: %s is not one of the store's", ErrUnknownResource, r.Name())
	}
	next, err := r.read(request{ctx, s, filter, after}, func() func(row *T) error {
		page.Items = nil
		return func(row *T) error {
			page.Items = append(page.Items, *row)
			return nil
		}
	})
	if err != nil {
		return Page[T]{}, err
	}
	page.Next = next
	return page, nil
}

// All reads every row that the filter shows, filter.Limit rows at a time, and stops
// at the first error. No connection is held while the loop's body runs. The pages are
// separate statements: what changes between them is seen or not by the rules of pages.
func (r *Resource[T]) All(ctx context.Context, s *Store, filter scope.Filter) iter.Seq2[T, error] {
	return all(func(after cursor.Position) ([]T, cursor.Position, error) {
		page, err := r.List(ctx, s, filter, after)
		return page.Items, page.Next, err
	})
}

// all follows pages to the end.
func all[T any](list func(after cursor.Position) ([]T, cursor.Position, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var after cursor.Position
		for {
			items, next, err := list(after)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			after = next
		}
	}
}

// read runs the statement of one page and calls what begin returns for its rows. A row
// is valid during the call only. The result is nil on the last page.
//
// A page that was to go a known way and did not get full is begun anew, by the statement
// that looks around: a page is what one statement says.
func (r *Resource[T]) read(req request, begin func() func(row *T) error) (cursor.Position, error) {
	key := req.store.learned.key(req.filter)
	meant := req.store.learned.wayOf(key)
	next, went, err := r.readBy(req, meant, begin())
	if err == nil && meant != looks && went == strays {
		req.store.learned.learn(key, meant, strays)
		meant = looks
		next, went, err = r.readBy(req, looks, begin())
	}
	if err == nil {
		req.store.learned.learn(key, meant, went)
	}
	return next, err
}

// readBy is read by one statement.
func (r *Resource[T]) readBy(req request, meant way, each func(row *T) error) (next cursor.Position, went way, err error) {
	st, args, err := r.plan.prepare(req, meant)
	if st == nil || err != nil {
		return nil, looks, err
	}
	err = req.store.session.query(req.ctx, st, args, func(rows *sql.Rows) (err error) {
		next, went, err = r.scan(st, rows, req.filter.Limit, each)
		return err
	})
	switch {
	case err != nil:
		return nil, looks, failure(req.ctx, "list "+r.Name(), err)
	case next == nil && st.strays:
		return nil, strays, nil
	case next == nil && went != merges:
		return nil, looks, nil // a known way says nothing of where a list ends but by merging
	}
	return next, went, nil
}

// scan reads up to limit rows. One row more was asked for; that it is there says that
// the list goes on, and nothing else is read of it.
func (r *Resource[T]) scan(st *statement, rows *sql.Rows, limit int, each func(row *T) error) (next cursor.Position, went way, err error) {
	var row T
	var block int
	targets := r.targets(&row, &block)
	if st.saysWay {
		targets = slices.Insert(targets, 0, any(&went))
	}
	count := 0
	for rows.Next() {
		if count == limit {
			return r.position(block, &row), went, nil
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, looks, err
		}
		if r.setBlock != nil {
			r.setBlock(&row, block)
		}
		if err := each(&row); err != nil {
			return nil, looks, err
		}
		count++
	}
	return nil, went, nil
}

// targets are the destinations of Scan for one row.
func (r *Resource[T]) targets(row *T, block *int) []any {
	targets := make([]any, 0, len(r.columns)+1)
	if len(r.plan.blocks) > 1 {
		targets = append(targets, block)
	}
	for _, c := range r.columns {
		targets = append(targets, c.target(row))
	}
	return targets
}

// prepare picks the statement of a request and fills in its arguments. The statement
// is nil if the filter shows nothing.
func (p *plan) prepare(req request, way way) (*statement, []any, error) {
	f := req.filter
	if f.Resource != p.name {
		return nil, nil, fmt.Errorf("listquery: a filter for %q was given to %q", f.Resource, p.name)
	}
	start, err := p.start(req.after)
	if err != nil {
		return nil, nil, fmt.Errorf("listquery: list %s: %w", p.name, err)
	}
	if f.Empty() {
		return nil, nil, nil
	}
	st := p.statement(shape{f.Personal, len(f.Teams) > 0, req.store.dialect}, start, pageSize(f.Limit+1), way)
	if st == nil {
		return nil, nil, nil
	}
	if f.Limit < 1 || f.Limit > MaxLimit {
		return nil, nil, fmt.Errorf("%w: %d", ErrLimit, f.Limit)
	}
	return st, st.arguments(f, req.after, f.Limit+1), nil
}
