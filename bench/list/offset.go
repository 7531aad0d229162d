package main

import (
	"context"
	"fmt"
)

// byOffset reads a page by counting the rows before it.
func byOffset(ctx context.Context, p *place, r resource, q request) (any, error) {
	args := r.arguments(q)
	text := fmt.Sprintf("%s LIMIT $%d OFFSET $%d", r.selection(r.columns), len(args)+1, len(args)+2)
	rows, err := p.query(ctx, text, append(args, pageRows+1, q.offset)...)
	if err != nil {
		return nil, err
	}
	return r.read(rows)
}
