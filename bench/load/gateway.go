package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/scope"
)

// gatewayVariable is set for the process that serves, to its database.
const gatewayVariable = "FEDKIT_BENCH_LOAD_GATEWAY"

// connections is the size of the pool.
const connections = 8

// A greeting tells the other process where to connect, and as whom.
type greeting struct {
	Addresses               map[string]string // of each contender
	Roots, Certificate, Key string            // in PEM
}

// whole leaves a handler as it is.
func whole(h http.Handler) http.Handler { return h }

// beGateway is the process that serves, until its standard input ends. It says where it
// is on its standard output, and then answers each line with a sample.
func beGateway(ctx context.Context, dsn string, change func(http.Handler) http.Handler) (status int) {
	if err := serve(ctx, dsn, change, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load: the gateway:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, dsn string, change func(http.Handler) http.Handler, in io.Reader, out io.Writer) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	handlers, ca, hello, err := build(ctx, db)
	if err != nil {
		return err
	}
	own, err := ca.Server(24*time.Hour, "127.0.0.1")
	if err != nil {
		return err
	}
	config, err := mtls.ServerTLS{Base: &tls.Config{Certificates: []tls.Certificate{own}}, Roots: ca.Pool()}.Config()
	if err != nil {
		return err
	}
	hello.Addresses = make(map[string]string)
	for name, handler := range handlers {
		server, err := federation.NewServer(change(handler), patience)
		if err != nil {
			return err
		}
		server.ReadHeaderTimeout, server.ReadTimeout = patience, patience // handshakes included
		server.TLSConfig, server.ErrorLog = config.Clone(), slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		go server.ServeTLS(listener, "", "")
		hello.Addresses[name] = listener.Addr().String()
	}
	return answer(in, json.NewEncoder(out), hello)
}

// answer sends the greeting, and a sample for each line.
func answer(in io.Reader, out *json.Encoder, hello greeting) error {
	if err := out.Encode(hello); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := out.Encode(takeSample()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// build makes the handlers, the authority whose certificates they know, and one of these.
func build(ctx context.Context, db *sql.DB) (map[string]http.Handler, *enroll.CA, greeting, error) {
	var hello greeting
	store, err := newStore(db)
	if err != nil {
		return nil, nil, hello, err
	}
	table, err := sqlstore.NewGrants(ctx, sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Prepared: true})
	if err != nil {
		return nil, nil, hello, err
	}
	ca, err := enroll.NewCA("load", 24*time.Hour)
	if err != nil {
		return nil, nil, hello, err
	}
	memory := new(grants.Memory)
	if hello, err = admit(ctx, ca, memory, table); err != nil {
		return nil, nil, hello, err
	}
	after, err := secondPage(ctx, store)
	if err != nil {
		return nil, nil, hello, err
	}
	withMemory, err := checkedHandler(store, memory.Find)
	if err != nil {
		return nil, nil, hello, err
	}
	withTable, err := checkedHandler(store, table.Find)
	return map[string]http.Handler{bare: bareHandler(store, after), inMemory: withMemory, inTable: withTable}, ca, hello, err
}

// admit makes one grant in all stores, and its certificate.
func admit(ctx context.Context, ca *enroll.CA, stores ...grants.Store) (hello greeting, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return hello, err
	}
	now := time.Now()
	var chain []*x509.Certificate
	for _, store := range stores {
		registrar, err := grants.NewRegistrar(grants.Config{Store: store, Registry: scope.Standard()})
		if err != nil {
			return hello, err
		}
		grant, err := registrar.Create(ctx, grants.Terms{
			ID: "grant-1", Peer: "load", Subject: subject, NotBefore: now.Add(-time.Minute), Expires: now.Add(24 * time.Hour),
			Scope: fmt.Appendf(nil, `{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":%d}`, pageRows),
		})
		if err == nil && chain == nil {
			chain, err = ca.Sign(ctx, enroll.Request{Key: key.Public(), Grant: grant, NotBefore: now.Add(-time.Minute), NotAfter: grant.Expires})
		}
		if err == nil {
			_, err = registrar.Activate(ctx, grant.ID, grant.Revision, grants.PinOf(chain))
		}
		if err != nil {
			return hello, err
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return hello, err
	}
	return greeting{
		Roots: inPEM("CERTIFICATE", ca.Certificate().Raw), Certificate: inPEM("CERTIFICATE", chain[0].Raw),
		Key: inPEM("PRIVATE KEY", secret),
	}, nil
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// clientTLS is what a client that was greeted connects with.
func (g greeting) clientTLS() (*tls.Config, error) {
	cert, err := tls.X509KeyPair([]byte(g.Certificate), []byte(g.Key))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(g.Roots)) {
		return nil, errors.New("the gateway's authority is no certificate")
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}, nil
}
