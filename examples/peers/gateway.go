package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"log/slog"
	"net/http"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// newGateway returns what a gateway serves: its own rows, and those of its peers to who
// names a source.
func newGateway(c card, db *sql.DB, logger *slog.Logger) (*http.Server, error) {
	keys, err := cursor.NewKeyring(c.CursorKey)
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	authenticator, err := newAuthenticator(c)
	if err != nil {
		return nil, err
	}
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	resources, err := listquery.Standard(schema)
	if err != nil {
		return nil, err
	}
	rows, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.SQLite, Schema: schema, Resources: resources})
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: rows})
	if err != nil {
		return nil, err
	}
	fanOut, err := newFanOut(c, keys)
	if err != nil {
		return nil, err
	}
	api, err := federation.NewHandler(federation.Config{
		Authenticator: authenticator, Evaluator: rules, Lister: rows, Getter: rows, Cursors: cursors,
		FanOut: fanOut, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	return newServer(c, api, logger)
}

// newAuthenticator knows who asks by the certificate.
func newAuthenticator(c card) (*mtls.Authenticator, error) {
	var store grants.Memory
	for _, grant := range c.Grants {
		if err := store.Insert(context.Background(), grant); err != nil {
			return nil, err
		}
	}
	return mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
}

// sourceTimeout is longer than it would be in life: all gateways share this machine with
// whatever else it does.
const sourceTimeout = 8 * time.Second

// newFanOut makes one list of the rows here and those of the peers. A gateway without
// peers has none: it serves its own rows.
func newFanOut(c card, keys *cursor.Keyring) (*federation.FanOut, error) {
	if len(c.Peers) == 0 {
		return nil, nil
	}
	var peers []federation.Peer
	for _, to := range c.Peers {
		client, err := to.client()
		if err != nil {
			return nil, err
		}
		peers = append(peers, federation.Peer{Name: to.Name, Client: client})
	}
	return federation.NewFanOut(federation.FanOutConfig{
		Keys:          keys,
		SourceTimeout: sourceTimeout,
		Peers: func(_ context.Context, grant scope.Grant) ([]federation.Peer, error) {
			if grant.Peer != reader {
				return nil, nil // what the peers gave to this gateway is for nobody else
			}
			return peers, nil
		},
	})
}

// newServer lets in who has a certificate of the gateway's own authority.
func newServer(c card, api http.Handler, logger *slog.Logger) (*http.Server, error) {
	own, err := c.Server.certificate()
	if err != nil {
		return nil, err
	}
	roots, err := poolOf(c.Roots)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(federation.Prefix, api)
	server, err := federation.NewServer(mux, 0)
	if err != nil {
		return nil, err
	}
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	server.TLSConfig, err = mtls.ServerTLS{
		Base:  &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"}},
		Roots: roots,
	}.Config()
	return server, err
}
