package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

func TestATokenStandsForItsGrantInEachStatus(t *testing.T) {
	of := func(status string) grant {
		return grant{Grant: scope.Grant{ID: status, Subject: "user-1"}, token: "token-" + status, status: status}
	}
	known := newTokens([]grant{of("active"), of("pending"), of("revoked"), of("expired"), of("odd"), {token: ""}})
	for _, test := range []struct {
		name    string
		headers []string
		want    error
	}{
		{"an active grant", []string{"Bearer token-active"}, nil},
		{"a scheme in capitals", []string{"BEARER token-active"}, nil},
		{"two spaces", []string{"Bearer  token-active"}, nil},
		{"a pending grant", []string{"Bearer token-pending"}, federation.ErrGrantPending},
		{"a revoked grant", []string{"Bearer token-revoked"}, federation.ErrGrantRevoked},
		{"an expired grant", []string{"Bearer token-expired"}, federation.ErrGrantExpired},
		{"a grant of an unknown status", []string{"Bearer token-odd"}, federation.ErrGrantUnknown},
		{"no header", nil, federation.ErrNoCredential},
		{"two headers", []string{"Bearer token-active", "Bearer token-active"}, federation.ErrNoCredential},
		{"another scheme", []string{"Basic token-active"}, federation.ErrNoCredential},
		{"no scheme", []string{"token-active"}, federation.ErrNoCredential},
		{"no token", []string{"Bearer"}, federation.ErrNoCredential},
		{"an empty token", []string{"Bearer "}, federation.ErrNoCredential},
		{"another token", []string{"Bearer token-activ"}, federation.ErrNoCredential},
		{"a token with something behind it", []string{"Bearer token-active x"}, federation.ErrNoCredential},
	} {
		got, err := known.Authenticate(&http.Request{Header: http.Header{"Authorization": test.headers}})
		if !errors.Is(err, test.want) {
			t.Errorf("%s gives the error %v, want %v", test.name, err, test.want)
		}
		if err == nil && got.ID != "active" {
			t.Errorf("%s gives the grant %q, want active", test.name, got.ID)
		}
	}
}

func TestEachTokenIsAnsweredByTheStatusOfItsGrant(t *testing.T) {
	t.Parallel()
	p := start(t)
	var got []string
	for _, token := range []string{"demo-1", "demo-17", "demo-18", "demo-99"} {
		a := list(t, p, token, "tasks", 1)
		got = append(got, strings.Join([]string{token, http.StatusText(a.status), a.code}, " "))
	}
	want := []string{
		"demo-1 OK ", "demo-17 Forbidden forbidden", "demo-18 Forbidden forbidden", "demo-99 Unauthorized unauthorized",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens are answered otherwise (-want +got):\n%s", diff)
	}
}

func TestARequestWithoutATokenIsToldTheScheme(t *testing.T) {
	t.Parallel()
	p := startSmall(t)
	response, err := http.Get(p.url + federation.Prefix + "capabilities")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusUnauthorized || got != "Bearer" {
		t.Errorf("a request without a token is answered with %d and the challenge %q, want 401 and Bearer", response.StatusCode, got)
	}
}
