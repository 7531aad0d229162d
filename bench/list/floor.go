package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// floor reads the rows of a page by their primary keys, as somebody who knew them would,
// and the row behind the page, which every page reads to know whether it goes on.
func floor(ctx context.Context, p *place, r resource, q request) (any, error) {
	var parts []string
	var args []any
	for block, from := range r.blocks {
		ids := q.ids(block)
		if ids == nil && block > 0 { // a page of nothing is asked for too
			continue
		}
		args = append(args, pq.StringArray(ids))
		parts = append(parts, fmt.Sprintf("SELECT %s FROM %s WHERE id = ANY($%d)", r.columns, from, len(args)))
	}
	rows, err := p.query(ctx, strings.Join(parts, " UNION ALL "), args...)
	if err != nil {
		return nil, err
	}
	return r.read(rows)
}

// ids are those of the rows of a block.
func (q request) ids(block int) []string {
	var ids []string
	for _, k := range q.keys {
		if k.block == block {
			ids = append(ids, k.id)
		}
	}
	return ids
}
