package lawtest

import (
	"net/http"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

// alphabet is that of base64url, and what other alphabets have in its place.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\r"

// lawOfCanonicity is law 7: every change of a single character of a cursor, and
// every character more or less, is refused before any statement; and one
// position has one cursor.
func lawOfCanonicity(t *testing.T, open Open) {
	for name, form := range map[string]cursor.Form{"sealed": cursor.Sealed, "signed": cursor.Signed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, _, _ := estateGateway(t, open, fillTransaction, func(p *parts) { p.Cursors = codecOf(t, form) })
			r := newRandom(t)
			for _, resource := range resources {
				_, token := g.list("grant-1", resource, ask(3, "")).page(t)
				if _, again := g.list("grant-1", resource, ask(3, "")).page(t); again != token {
					t.Errorf("the same page of %s has the cursors %s and %s", resource, token, again)
				}
				// Every character in every place for one resource, some for the others.
				percent := 6
				if resource == "tasks" {
					percent = 100
				}
				for _, bad := range changes(token) {
					if r.chance(percent) {
						g.refusesChange(t, resource, token, bad)
					}
				}
			}
		})
	}
}

func (g gateway) refusesChange(t *testing.T, resource, token, bad string) {
	t.Helper()
	var got reply
	n := g.db.meter.during(func() { got = g.list("grant-1", resource, ask(3, bad)) })
	if got.status != http.StatusBadRequest || n != 0 {
		t.Fatalf("the %s cursor %q, changed to %q, took %d statements and gave %v", resource, token, bad, n, got)
	}
}

// changes returns every text that is a single character away from the token, and
// its beginnings and ends.
func changes(token string) []string {
	var all []string
	for i := range len(token) {
		for _, c := range alphabet {
			if byte(c) != token[i] {
				all = append(all, token[:i]+string(c)+token[i+1:])
			}
		}
		all = append(all, token[:i]+token[i+1:], token[:i]+string(token[i])+token[i:])
		if i > 0 {
			all = append(all, token[:i], token[i:])
		}
	}
	for _, c := range alphabet {
		all = append(all, token+string(c), string(c)+token)
	}
	return all
}
