package gateway

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"net/http"
	"strings"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// Table is the service's own table of grants. It keeps no token, only what tells one. The
// scope is text and not jsonb, which would take one of two members with the same name
// where scope.Parse refuses both.
const Table = `CREATE TABLE peer_grants (
	token_sha256 bytea   PRIMARY KEY,
	id           text    NOT NULL UNIQUE,
	peer         text    NOT NULL,
	subject      text    NOT NULL,
	scope        text    NOT NULL,
	revision     bigint  NOT NULL DEFAULT 1,
	revoked      boolean NOT NULL DEFAULT false
)`

// Tokens is a federation.Authenticator: it finds grants by bearer token (RFC 6750). It
// asks the database each time, so a grant that is revoked counts with the next answer.
type Tokens struct{ DB *sql.DB }

// Authenticate returns the grant of the request's token. An error of the database is
// returned as it is, and ends as 503: it says nothing about the grant.
func (t Tokens) Authenticate(r *http.Request) (scope.Grant, error) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return scope.Grant{}, federation.ErrNoCredential
	}
	var (
		digest  = sha256.Sum256([]byte(token))
		grant   scope.Grant
		stored  string
		revoked bool
	)
	err := t.DB.QueryRowContext(r.Context(),
		`SELECT id, peer, subject, scope, revision, revoked FROM peer_grants WHERE token_sha256 = $1`, digest[:]).
		Scan(&grant.ID, &grant.Peer, &grant.Subject, &stored, &grant.Revision, &revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return scope.Grant{}, federation.ErrNoCredential
	case err != nil:
		return scope.Grant{}, err
	case revoked:
		return scope.Grant{}, federation.ErrGrantRevoked
	}
	// The scope of an error is zero, and the handler refuses it and logs why.
	grant.Scope, _ = scope.Parse(scope.Standard(), []byte(stored))
	return grant, nil
}
