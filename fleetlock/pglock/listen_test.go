package pglock_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// hanging returns a data source name of a server whose answers go nowhere from when hang is
// set, and counts what it is asked then.
func hanging(t *testing.T, dsn string) (_ string, hang *atomic.Bool, asked *atomic.Int64) {
	t.Helper()
	to, err := pq.NewConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port))
	if filepath.IsAbs(to.Host) {
		network, address = "unix", filepath.Join(to.Host, fmt.Sprint(".s.PGSQL.", to.Port))
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	hang, asked = new(atomic.Bool), new(atomic.Int64)
	go func() {
		for {
			client, err := front.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
			go func() { _, _ = io.Copy(client, server) }()
			go func() {
				b := make([]byte, 4096)
				for {
					n, err := client.Read(b)
					if err != nil {
						_ = server.Close()
						return
					}
					if hang.Load() {
						asked.Add(1)
						continue
					}
					if _, err := server.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	at := front.Addr().(*net.TCPAddr)
	through, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := through.Query()
	query.Set("host", at.IP.String())
	query.Set("port", fmt.Sprint(at.Port))
	query.Set("sslmode", "disable") // which this end of it is
	through.RawQuery = query.Encode()
	return through.String(), hang, asked
}

func TestARegisterIsClosedAlsoWhenItsServerHangs(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	through, hang, asked := hanging(t, dsn)
	register, err := pglock.New(t.Context(), pglock.Config{DB: open(t, dsn, true), Listen: through, Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	hang.Store(true)
	for end := time.Now().Add(patience); asked.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server is not asked whether it is there")
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- register.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Errorf("after %v a register that listens is not closed", patience)
	}
	if err := register.Close(); err == nil {
		t.Error("a register that listens is closed twice, and says nothing")
	}
}

func TestARegisterThatCannotListenLeavesNothingPrepared(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.DSN(t), true)
	db.SetMaxOpenConns(1)
	if _, err := pglock.New(context.Background(), pglock.Config{DB: db, Prepared: true, Listen: "postgres://%"}); err == nil {
		t.Fatal("New takes a data source name that is none")
	}
	var left int
	if err := db.QueryRow("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%fleetlock%'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d statements are left prepared (%v)", left, err)
	}
}
