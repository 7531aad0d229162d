package auditsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"time"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/auditsql"
)

// An audit in the best effort: answers do not wait for the table. Without the queue in
// between each answer waits for its row, and there is none without it.
func ExampleNew() {
	db, err := sql.Open("postgres", "host=/var/run/postgresql dbname=app")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	table, err := auditsql.New(db, auditsql.Config{Dialect: auditsql.Postgres})
	if err != nil {
		log.Fatal(err)
	}
	queue, err := federation.NewAuditQueue(federation.AuditQueueConfig{Auditor: table})
	if err != nil {
		log.Fatal(err)
	}
	// … federation.Config{Auditor: queue}, and when the server has shut down:
	soon, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(queue.Close(soon), queue.Dropped(), queue.Failed())
	// Output: <nil> 0 0
}

func ExampleDDL() {
	statements, err := auditsql.DDL(auditsql.Config{Dialect: auditsql.SQLite, Table: "audit"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(statements[1])
	fmt.Println(statements[2])
	// Output:
	// CREATE INDEX IF NOT EXISTS "audit_at" ON "audit" (at)
	// CREATE INDEX IF NOT EXISTS "audit_grant_at" ON "audit" (grant_id, at)
}
