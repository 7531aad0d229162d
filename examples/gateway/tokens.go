package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// tokens is the federation.Authenticator of this gateway: bearer tokens (RFC 6750)
// of the grants that were there when it started.
//
// The handler authenticates each request twice, so that a grant that was revoked
// meanwhile ends in a refusal and not in data. The grants of this gateway do not
// change while it runs; a host whose grants do looks into its table in Authenticate.
type tokens struct{ known []credential }

type credential struct {
	digest [sha256.Size]byte // of the token
	grant  grant
}

func newTokens(grants []grant) *tokens {
	t := new(tokens)
	for _, g := range grants {
		t.known = append(t.known, credential{sha256.Sum256([]byte(g.token)), g})
	}
	return t
}

// Authenticate returns the active grant that the request's token stands for.
func (t *tokens) Authenticate(r *http.Request) (scope.Grant, error) {
	token, err := bearer(r)
	if err != nil {
		return scope.Grant{}, err
	}
	found, err := t.find(token)
	if err != nil {
		return scope.Grant{}, err
	}
	return found.Grant, found.refusal()
}

// bearer returns the token of the request. Two headers are none: a proxy in between
// may have looked at the other one.
func bearer(r *http.Request) (string, error) {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return "", fmt.Errorf("%w: %d Authorization headers", federation.ErrNoCredential, len(given))
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if token = strings.TrimLeft(token, " "); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fmt.Errorf("%w: no Bearer token", federation.ErrNoCredential)
	}
	return token, nil
}

// find compares with every token, and digests instead of tokens, so that the time it
// takes tells nothing about how much of a guess was right.
func (t *tokens) find(token string) (grant, error) {
	digest := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.known {
		if subtle.ConstantTimeCompare(digest[:], t.known[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return grant{}, fmt.Errorf("%w: unknown token", federation.ErrNoCredential)
	}
	return t.known[found].grant, nil
}

// refusal returns why the grant may not be used; nil for an active one.
func (g grant) refusal() error {
	switch g.status {
	case "active":
		return nil
	case "pending":
		return federation.ErrGrantPending
	case "revoked":
		return federation.ErrGrantRevoked
	case "expired":
		return federation.ErrGrantExpired
	}
	return fmt.Errorf("%w: its status is %q", federation.ErrGrantUnknown, g.status)
}

// withChallenge adds to a 401 what HTTP asks for: the scheme by which to come back
// (RFC 9110, section 11.6.1). The library leaves it to the host, who knows it.
func withChallenge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(challenger{w}, r)
	})
}

type challenger struct{ http.ResponseWriter }

// Unwrap is for http.ResponseController.
func (c challenger) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c challenger) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		c.Header().Set("WWW-Authenticate", "Bearer")
	}
	c.ResponseWriter.WriteHeader(status)
}
