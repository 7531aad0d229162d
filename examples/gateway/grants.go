package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/mosaicstack/fedkit/scope"
)

// A grant is a row of the demo's table of grants. The library asks for the
// scope.Grant alone; the token and the status are this host's own affair.
type grant struct {
	scope.Grant
	token  string
	status string
}

// readGrants reads all grants. One whose stored scope does not parse is kept with the
// zero scope: it is refused like any other grant that allows nothing, and the log says
// what is wrong with it, here and at each request.
func readGrants(ctx context.Context, db *database, logger *slog.Logger) ([]grant, error) {
	// By length first, for demo-10 to follow demo-9.
	rows, err := db.pool.QueryContext(ctx, `SELECT id, peer_id, subject_user_id, scope, status, token
		FROM `+db.grants+` ORDER BY length(token), token`)
	if err != nil {
		return nil, fmt.Errorf("the grants cannot be read: %w", err)
	}
	defer rows.Close()
	var grants []grant
	for rows.Next() {
		var g grant
		var stored []byte
		if err := rows.Scan(&g.ID, &g.Peer, &g.Subject, &stored, &g.status, &g.token); err != nil {
			return nil, fmt.Errorf("the grants cannot be read: %w", err)
		}
		if g.Scope, err = scope.Parse(scope.Standard(), stored); err != nil {
			logger.Error("a grant has an invalid scope and allows nothing", "grant", g.ID, "err", err)
		}
		grants = append(grants, g)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("the grants cannot be read: %w", err)
	}
	return grants, nil
}
