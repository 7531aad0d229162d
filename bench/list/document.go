package main

import (
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
)

// A document is a row of a resource that a host defined for itself: it belongs to a user
// or to a team, and there is nothing between.
type document struct {
	ID        cursor.UUID  `json:"id"`
	Title     string       `json:"title"`
	Body      string       `json:"body"`
	OwnerID   *string      `json:"ownerId"`
	TeamID    *cursor.UUID `json:"teamId"`
	CreatedAt time.Time    `json:"createdAt"`
}

const documentsTable = `CREATE TABLE documents (
	id         uuid PRIMARY KEY,
	title      text NOT NULL,
	body       text NOT NULL,
	owner_id   text,
	team_id    uuid,
	created_at timestamptz NOT NULL
)`

func documents() (*listquery.Resource[document], error) {
	return listquery.Define(listquery.Definition[document]{
		Name:  "documents",
		Table: "documents",
		Columns: []listquery.Column[document]{
			listquery.Col("id", func(d *document) *cursor.UUID { return &d.ID }),
			listquery.Col("title", func(d *document) *string { return &d.Title }),
			listquery.Col("body", func(d *document) *string { return &d.Body }),
			listquery.Col("owner_id", func(d *document) **string { return &d.OwnerID }),
			listquery.Col("team_id", func(d *document) **cursor.UUID { return &d.TeamID }),
			listquery.Col("created_at", func(d *document) *time.Time { return &d.CreatedAt }),
		},
		OrderBy: []string{"created_at"},
		Key:     "id",
		Visible: listquery.Any(listquery.Personal("owner_id"), listquery.TeamUUIDs("team_id")),
	})
}
