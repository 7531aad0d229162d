package pgtest

import (
	"database/sql"
	"errors"
	"net/url"
	"testing"
)

// NewStandby starts a server that follows this one by streaming replication, and removes it
// at the end of the test. It answers what only reads, and takes over by Promote. This
// server does not wait for it when it commits, but if its settings say so:
// synchronous_commit is off on throwaway servers.
func (c *Cluster) NewStandby(tb testing.TB) *Cluster {
	tb.Helper()
	return launchFor(tb, c.dir)
}

// Promote makes a standby the primary that its own was. It returns when all is there that
// had come from the primary, and the server accepts writes.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	db, err := sql.Open("postgres", c.DSN())
	if err != nil {
		tb.Fatal(err)
	}
	var done bool
	err = db.QueryRow("SELECT pg_promote()").Scan(&done)
	if err := errors.Join(err, db.Close()); err != nil || !done {
		tb.Fatalf("the standby is not promoted: %v", err)
	}
}

// Kill takes the server down as a failure of its machine does: unlike after Stop, standbys
// have what they have and nothing more. Killing a server that is down does nothing.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	if err := c.command("kill"); err != nil {
		tb.Fatalf("the server is not killed: %v", err)
	}
}

// PrimaryDSN returns a URL, for lib/pq, that leads to whichever of the servers is the
// primary.
func PrimaryDSN(servers ...*Cluster) string {
	query := url.Values{"sslmode": {"disable"}, "target_session_attrs": {"read-write"}}
	var hosts, ports string
	for i, c := range servers {
		if i > 0 {
			hosts, ports = hosts+",", ports+","
		}
		hosts, ports = hosts+c.dir, ports+"5432"
	}
	query.Set("host", hosts)
	query.Set("port", ports)
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: query.Encode()}
	return u.String()
}
