package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/mosaicstack/fedkit/scope"
)

// Native access of every kind of badness, for both verbs that ask it. Nothing of it ever
// shows a row, and nothing but a plain denial looks like one.
func TestNativeAccessThatIsNoneShowsNothing(t *testing.T) {
	allow := scope.Access{Allowed: true, Personal: true, Teams: []string{"team-1"}}
	million := make([]string, 1_000_000)
	for i := range million {
		million[i] = fmt.Sprint("team-", i)
	}
	for name, test := range map[string]struct {
		native func(ctx context.Context) (scope.Access, error)
		status int
	}{
		"an error":              {func(context.Context) (scope.Access, error) { return scope.Access{}, errors.New("down") }, 503},
		"an error and an allow": {func(context.Context) (scope.Access, error) { return allow, errors.New("down") }, 503},
		"a panic":               {func(context.Context) (scope.Access, error) { panic("boom") }, 503},
		"a panic with nil":      {func(context.Context) (scope.Access, error) { panic(nil) }, 503},
		"a hang":                {func(ctx context.Context) (scope.Access, error) { <-ctx.Done(); return scope.Access{}, ctx.Err() }, 503},
		"a hang and an allow":   {func(ctx context.Context) (scope.Access, error) { <-ctx.Done(); return allow, nil }, 503},
		"a million teams":       {func(context.Context) (scope.Access, error) { return scope.Access{Allowed: true, Teams: million}, nil }, 503},
		"an empty team": {func(context.Context) (scope.Access, error) {
			return scope.Access{Allowed: true, Teams: []string{""}}, nil
		}, 503},
		"nothing at all": {func(context.Context) (scope.Access, error) { return scope.Access{}, nil }, 403},
		"teams and no allow": {func(context.Context) (scope.Access, error) {
			return scope.Access{Personal: true, Teams: []string{"a"}}, nil
		}, 403},
	} {
		for _, path := range []string{"list/tasks", "get/tasks/7"} {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t)
				h.native = func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) { return test.native(ctx) }
				got := h.serve(t, newPost(Prefix+path, ""))
				if got.Code != test.status || h.reads() != 0 {
					t.Errorf("%s, %s: the answer is %d %s, rows were asked for %d times", path, name, got.Code, got.Body, h.reads())
				}
			})
		}
	}
	h := newHost(t)
	h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Allowed: true, Teams: nil}, nil
	}
	if got := h.getItem(t, "tasks", "7"); got.Code != http.StatusNotFound || h.got.Load() != 0 {
		t.Errorf("a get that can show nothing is answered with %d %s", got.Code, got.Body)
	}
}
