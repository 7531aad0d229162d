// Package pgtest gives each test an empty Postgres schema of its own, so that
// database tests run in parallel and need no set-up.
//
// The server is the one that FEDKIT_TEST_DSN names, or else a throwaway one that
// the first test of a test binary starts from the server programs installed on
// the machine. The throwaway server listens on a Unix socket only, keeps
// everything in one directory under the temporary directory, writes nothing
// through to the disk, and is gone together with that directory when the test
// binary ends, be it by SIGKILL. Started by root it runs as the user postgres.
//
// Where there is neither, tests are skipped, unless FEDKIT_REQUIRE_POSTGRES is 1:
// then they fail, because a run that must test the database may not pass without.
//
// The server's time zone is an odd one on purpose: a test that passes here does
// not depend on it.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
)

const (
	dsnVariable     = "FEDKIT_TEST_DSN"
	requireVariable = "FEDKIT_REQUIRE_POSTGRES"
)

// patience bounds each statement of this package. It is generous because a busy
// machine is no reason to fail, and finite because a lock that is never released is.
const patience = time.Minute

// Schema makes an empty schema and drops it, with all that it then holds, at the
// end of the test. Connections opened with dsn have it as their search_path; any
// driver can use dsn, and on a throwaway server it is a URL. Each call makes
// another schema. What the test opened on it must be closed by then: an open
// transaction keeps its tables and fails the test after a minute.
func Schema(tb testing.TB) (name, dsn string) {
	tb.Helper()
	server := sharedServer(tb)
	name = "fedkit_test_" + strings.ToLower(rand.Text())
	if err := server.exec("CREATE SCHEMA " + pq.QuoteIdentifier(name)); err != nil {
		tb.Fatalf("no schema can be made on the test server: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.exec("DROP SCHEMA " + pq.QuoteIdentifier(name) + " CASCADE"); err != nil {
			tb.Errorf("the schema %s cannot be dropped; does the test leave a transaction open? %v", name, err)
		}
	})
	return name, withSearchPath(server.dsn, name)
}

// DSN returns the data source name of a new [Schema].
func DSN(tb testing.TB) string {
	tb.Helper()
	_, dsn := Schema(tb)
	return dsn
}

// Open returns a lib/pq pool on a new [Schema], closed at the end of the test.
func Open(tb testing.TB) *sql.DB {
	tb.Helper()
	return open(tb, DSN(tb))
}

func open(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		tb.Fatalf("lib/pq refuses the data source name %q: %v", dsn, err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("the pool cannot be closed: %v", err)
		}
	})
	return db
}

// server is where schemas are made.
type server struct {
	dsn string
	db  *sql.DB
	// cluster is what keeps a throwaway server alive; nil for one that is not ours.
	cluster *Cluster
}

func (s *server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := s.db.ExecContext(ctx, statement)
	return err
}

// sharedServer returns the server of this test binary.
func sharedServer(tb testing.TB) *server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		giveUp(tb, err)
	}
	return s
}

var shared = sync.OnceValues(connect)

func connect() (*server, error) {
	s := &server{dsn: os.Getenv(dsnVariable)}
	if s.dsn == "" {
		cluster, err := launch()
		if err != nil {
			return nil, err
		}
		s.cluster, s.dsn = cluster, cluster.DSN()
	}
	db, err := sql.Open("postgres", s.dsn)
	if err != nil {
		return nil, fmt.Errorf("lib/pq refuses the data source name %q: %w", s.dsn, err)
	}
	s.db = db
	if err := s.exec("SELECT 1"); err != nil {
		return nil, fmt.Errorf("the Postgres server at %q does not answer: %w", s.dsn, err)
	}
	return s, nil
}

// errNotInstalled says that this machine cannot run a server of its own. Only this
// is a reason to skip: a server that is there and does not start is a failure.
var errNotInstalled = errors.New("no Postgres server is installed that this user can run " +
	"(`make test` installs one, or set " + dsnVariable + ")")

// giveUp ends a test that cannot have its server.
func giveUp(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errNotInstalled) && os.Getenv(requireVariable) != "1" {
		tb.Skip(err)
	}
	tb.Fatal(err)
}

// withSearchPath returns dsn, a URL or a list of key=value pairs, with a search
// path that is the schema alone.
func withSearchPath(dsn, schema string) string {
	if u, err := url.Parse(dsn); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		query := u.Query()
		query.Set("search_path", schema)
		u.RawQuery = query.Encode()
		return u.String()
	}
	return dsn + " search_path=" + schema
}
