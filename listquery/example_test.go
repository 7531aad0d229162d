package listquery_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/Masterminds/squirrel"
	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// An Invoice is a row of a host's own.
type Invoice struct {
	ID      cursor.UUID `json:"id"`
	Number  int64       `json:"number"`
	Paid    *time.Time  `json:"paid"`
	Created time.Time   `json:"created"`
}

// Invoices belong to a user, or to the team of the project that they were written for.
func invoiceDefinition() listquery.Definition[Invoice] {
	return listquery.Definition[Invoice]{
		Name:  "invoices",
		Table: "billing.invoices",
		Columns: []listquery.Column[Invoice]{
			listquery.Col("id", func(i *Invoice) *cursor.UUID { return &i.ID }),
			listquery.Col("number", func(i *Invoice) *int64 { return &i.Number }),
			listquery.Col("paid", func(i *Invoice) **time.Time { return &i.Paid }),
			listquery.Col("created", func(i *Invoice) *time.Time { return &i.Created }),
		},
		OrderBy: []string{"created"}, // newest first,
		Key:     "id",                // and by id where that is equal
		Visible: listquery.Any(
			listquery.Personal("owner_id"),
			listquery.Parent("project_id", "projects", "id", listquery.TeamUUIDs("team_id")),
		),
		Where: squirrel.NotEq{"state": "draft"},
	}
}

func ExampleDefine() {
	invoices, err := listquery.Define(invoiceDefinition())
	fmt.Println(invoices.Name(), err)

	withoutKey := invoiceDefinition()
	withoutKey.Key = ""
	_, err = listquery.Define(withoutKey)
	fmt.Println(err)

	forEveryone := invoiceDefinition()
	forEveryone.Visible = listquery.Any(listquery.Personal("owner_id"), listquery.Is("state", "public"))
	_, err = listquery.Define(forEveryone)
	fmt.Println(err)
	// Output:
	// invoices <nil>
	// listquery: resource "invoices": no key: an order needs a unique column to decide between equal rows
	// listquery: resource "invoices": visibility shows rows to a filter that allows none: let rows in by Personal or Teams only
}

// A store lists the resources that it was made with, typed or as JSON. A filter comes
// out of a scope.Decision; the zero filter shows nothing, without a statement.
func ExampleStore() {
	db, err := sql.Open("postgres", "host=/var/run/postgresql dbname=app")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	invoices, err := listquery.Define(invoiceDefinition())
	if err != nil {
		panic(err)
	}
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect:   listquery.Postgres,
		Resources: []listquery.AnyResource{invoices},
	})
	if err != nil {
		panic(err)
	}

	nothing := scope.Filter{Resource: "invoices", Subject: "user-1", Limit: 50}
	for invoice, err := range invoices.All(context.Background(), store, nothing) {
		fmt.Println(invoice.Number, err)
	}
	rows, next, err := store.List(context.Background(), nothing, nil)
	fmt.Println(len(rows), next, err)
	// Output:
	// 0 [] <nil>
}

// A host whose tables have other names says so once.
func ExampleSchema() {
	schema := listquery.Schema{
		Tasks:       listquery.Table{Name: "work_items", Columns: map[string]string{"created_at": "made_at"}},
		TeamMembers: listquery.Table{Name: "memberships"},
	}.In("app") // all of them in the Postgres schema app
	resources, err := listquery.Standard(schema)
	if err != nil {
		panic(err)
	}
	db, err := sql.Open("postgres", "host=/var/run/postgresql dbname=app")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	_, err = listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Resources: resources})
	fmt.Println(err)
	_, err = listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Resources: resources, Schema: schema})
	fmt.Println(err)
	// Output:
	// listquery: resource "tasks" was made with the table app.memberships (team_id, user_id) of team members, Config.Schema has team_members (team_id, user_id)
	// <nil>
}

// The indexes of a host's own resources follow from their definitions.
func ExampleIndexes() {
	invoices, err := listquery.Define(invoiceDefinition())
	if err != nil {
		panic(err)
	}
	for _, statement := range listquery.Indexes(listquery.Postgres, invoices) {
		fmt.Println(statement)
	}
	// Output:
	// CREATE INDEX IF NOT EXISTS "invoices_by_created_id" ON "billing"."invoices" ("created" DESC, "id" DESC)
	// CREATE INDEX IF NOT EXISTS "invoices_by_owner_id_created_id" ON "billing"."invoices" ("owner_id", "created" DESC, "id" DESC)
	// CREATE INDEX IF NOT EXISTS "invoices_by_project_id_created_id" ON "billing"."invoices" ("project_id", "created" DESC, "id" DESC)
	// CREATE INDEX IF NOT EXISTS "projects_by_team_id_id" ON "projects" ("team_id", "id")
}

// A program finds out at its start what its database lacks, all at once.
func ExampleStore_Check() {
	resources, err := listquery.Standard(listquery.Schema{})
	if err != nil {
		panic(err)
	}
	db, err := sql.Open("postgres", "host=/var/run/postgresql dbname=app")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect:   listquery.Postgres,
		Resources: resources,
		Prepared:  true, // not behind a pooler in transaction mode
	})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	var missing *listquery.MissingError
	switch err := store.Check(context.Background()); {
	case errors.As(err, &missing):
		for _, m := range missing.Missing {
			fmt.Println("missing:", m.Text)
			if m.Index != "" {
				fmt.Println("make it by:", m.Index)
			}
		}
	case err != nil:
		fmt.Println("the database cannot be asked:", err)
	}
}
