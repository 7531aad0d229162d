package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A gateway serves its rows to peers that have enrolled.
type gateway struct {
	name   string
	url    string
	ca     *enroll.CA
	grants *grants.Registrar
	desk   *enroll.Desk
	close  func()
}

// lifetime is that of everything here that ends by itself.
const lifetime = time.Hour

// startGateway opens a database, makes an authority, and serves until close.
func startGateway(ctx context.Context, name string, say *narrator) (*gateway, error) {
	db, err := openDatabase(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	g := &gateway{name: name, close: func() { db.Close() }}
	if err := g.start(ctx, sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}, say); err != nil {
		g.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	say.line(name, "serves at %s", g.url)
	return g, nil
}

func (g *gateway) start(ctx context.Context, tables sqlstore.Config, say *narrator) error {
	// In life, a Signer that asks an authority whose key is elsewhere.
	ca, err := enroll.NewCA(g.name+" authority", lifetime)
	if err != nil {
		return err
	}
	g.ca = ca
	store, err := sqlstore.NewGrants(ctx, tables)
	if err != nil {
		return err
	}
	tickets, err := sqlstore.NewTickets(ctx, tables)
	if err != nil {
		return err
	}
	if g.grants, err = grants.NewRegistrar(grants.Config{Store: store, Registry: scope.Standard()}); err != nil {
		return err
	}
	g.desk, err = enroll.New(enroll.Config{
		Tickets: tickets, Grants: g.grants, Signer: ca, Certificates: lifetime,
		Report: func(_ context.Context, e enroll.Event) error {
			say.line(g.name, "audit: %s", strings.TrimSpace(string(e.Step)+" "+string(e.Code)))
			return nil
		},
	})
	if err != nil {
		return err
	}
	api, err := newAPI(tables, store)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(federation.Prefix, api)
	mux.Handle(enroll.Path, g.desk) // the longer path wins
	return g.serve(ctx, mux)
}

// newAPI wires the verbs: who asks, what they may see, and where the rows are.
func newAPI(tables sqlstore.Config, store *sqlstore.Grants) (http.Handler, error) {
	authenticator, err := mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
	if err != nil {
		return nil, err
	}
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(schema)
	if err != nil {
		return nil, err
	}
	rows, err := listquery.NewStore(tables.DB, listquery.Config{Dialect: listquery.SQLite, Schema: schema, Resources: resources})
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: rows})
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	keys, err := cursor.NewKeyring(secret)
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	return federation.NewHandler(federation.Config{
		Authenticator: authenticator, Evaluator: rules, Lister: rows, Cursors: cursors,
	})
}

// serve listens on a free port of this machine. Clients without a certificate are let
// in as far as the desk: everywhere else they get a 401.
func (g *gateway) serve(ctx context.Context, handler http.Handler) error {
	own, err := g.ca.Server(lifetime, "127.0.0.1")
	if err != nil {
		return err
	}
	config, err := mtls.ServerTLS{
		Base:     &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"}},
		Roots:    g.ca.Pool(),
		Optional: true,
	}.Config()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := federation.NewServer(handler, 0)
	if err != nil {
		return err
	}
	server.TLSConfig, server.ErrorLog = config, slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	go server.ServeTLS(listener, "", "")
	g.url = "https://" + listener.Addr().String()
	closeDatabase := g.close
	g.close = func() { server.Close(); closeDatabase() }
	return nil
}

// An invitation is what a gateway gives to a peer, on a way that nobody else can read.
type invitation struct {
	from  string
	url   string
	token string
	roots *x509.CertPool // by which the peer knows the server
	grant string
}

// invite makes a grant for a peer, and a token for it.
func (g *gateway) invite(ctx context.Context, peer, subject string) (invitation, error) {
	grant, err := g.grants.Create(ctx, grants.Terms{
		Peer: peer, Subject: subject, Expires: time.Now().Add(lifetime),
		Scope: []byte(`{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":3}`),
	})
	if err != nil {
		return invitation{}, err
	}
	token, _, err := g.desk.Invite(ctx, grant.ID)
	if err != nil {
		return invitation{}, err
	}
	return invitation{from: g.name, url: g.url, token: token, roots: g.ca.Pool(), grant: grant.ID}, nil
}
