package main

import (
	"context"
	"database/sql"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A catalog has the resources as listquery defines them.
type catalog struct {
	tasks     *listquery.Resource[listquery.Task]
	notes     *listquery.Resource[listquery.Note]
	memory    *listquery.Resource[listquery.MemoryItem]
	documents *listquery.Resource[document]
}

func newCatalog(s listquery.Schema) (c catalog, err error) {
	if c.tasks, err = listquery.Tasks(s); err != nil {
		return c, err
	}
	if c.notes, err = listquery.Notes(s); err != nil {
		return c, err
	}
	if c.memory, err = listquery.Memory(s); err != nil {
		return c, err
	}
	c.documents, err = documents()
	return c, err
}

func (c catalog) all() []listquery.AnyResource {
	return []listquery.AnyResource{c.tasks, c.notes, c.memory, c.documents}
}

// A lister reads one page of a resource.
type lister func(context.Context, *listquery.Store, scope.Filter, cursor.Position) (any, error)

func listerOf[T any](r *listquery.Resource[T]) lister {
	return func(ctx context.Context, s *listquery.Store, f scope.Filter, after cursor.Position) (any, error) {
		page, err := r.List(ctx, s, f, after)
		return page.Items, err
	}
}

// A library is fedkit with a database.
type library struct {
	catalog catalog
	store   *listquery.Store
}

func newLibrary(db *sql.DB, s listquery.Schema, prepared bool) (library, error) {
	c, err := newCatalog(s)
	if err != nil {
		return library{}, err
	}
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect: listquery.Postgres, Resources: c.all(), Schema: s, Prepared: prepared,
	})
	return library{c, store}, err
}

func (l library) page(ctx context.Context, r resource, q request) (any, error) {
	return r.fedkit(l.catalog)(ctx, l.store, q.filter(r), q.position(r))
}
