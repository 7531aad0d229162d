package pglock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"time"

	_ "github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
)

// restart restarts a fleet whose machines share a database, unless another one does so.
func restart(ctx context.Context, dsn string, stopAndStart func(context.Context) error) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	register, err := pglock.New(ctx, pglock.Config{DB: db, Listen: dsn, Prepared: true})
	if err != nil {
		return err
	}
	defer register.Close()
	lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second), fleetlock.Label("deploy 1742"))
	held, err := lock.TryAcquire(ctx)
	if err != nil {
		return err // a *fleetlock.BusyError says who has it
	}
	return errors.Join(stopAndStart(held.Context()), held.Release())
}

// Without a database nothing is restarted: an error never grants.
func Example() {
	err := restart(context.Background(), "host=/run/nobody/listens/here", func(context.Context) error {
		fmt.Println("restarting")
		return nil
	})
	fmt.Println(err != nil)
	// Output: true
}

// The table is made by the host's own migrations.
func ExampleDDL() {
	statement, err := pglock.DDL("app")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(statement)
	// Output:
	// CREATE TABLE "app".fleetlock (
	// 	name    text COLLATE "C" NOT NULL PRIMARY KEY,
	// 	version bigint NOT NULL,
	// 	token   bigint NOT NULL,
	// 	record  text NOT NULL,
	// 	terms   text[] NOT NULL,
	// 	ends    timestamptz[] NOT NULL
	// ) WITH (fillfactor = 50);
}
