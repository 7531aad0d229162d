package scope_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// nativeFunc is native access made of a function.
type nativeFunc func(ctx context.Context, req scope.AccessRequest) (scope.Access, error)

func (f nativeFunc) ReadAccess(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
	return f(ctx, req)
}

// answer is native access that always gives the same answer.
func answer(access scope.Access) nativeFunc {
	return func(context.Context, scope.AccessRequest) (scope.Access, error) { return access, nil }
}

// everything is what a native access without limits would answer for the teams.
func everything(teams ...string) scope.Access {
	return scope.Access{Allowed: true, Personal: true, Teams: teams}
}

func rulesWith(t testing.TB, native scope.NativeRBAC) *scope.Rules {
	t.Helper()
	return rulesOf(t, scope.Config{Registry: scope.Standard(), Native: native})
}

func rulesOf(t testing.TB, cfg scope.Config) *scope.Rules {
	t.Helper()
	rules, err := scope.NewRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func registryOf(t testing.TB, names ...string) scope.Registry {
	t.Helper()
	registry, err := scope.NewRegistry(names...)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// mustParse reads a scope of the standard registry.
func mustParse(t testing.TB, text string) scope.Scope {
	t.Helper()
	s, err := scope.Parse(scope.Standard(), []byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return s
}

func canonical(t testing.TB, s scope.Scope) string {
	t.Helper()
	text, err := s.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func grantOf(s scope.Scope) scope.Grant {
	return scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Revision: 7, Scope: s}
}

func manyTeams(n int) []string {
	teams := make([]string, n)
	for i := range teams {
		teams[i] = fmt.Sprintf("0b2f6c1e-7a55-4c0e-9d1a-%012d", i)
	}
	return teams
}

// outcome is what a decision came to, in a form that can be compared.
type outcome struct {
	denial *scope.Denial
	none   bool
	filter scope.Filter
}

func outcomeOf(d scope.Decision) (o outcome) {
	d.Switch(
		func(denial *scope.Denial) { o.denial = denial },
		func() { o.none = true },
		func(f scope.Filter) { o.filter = f },
	)
	return o
}

// String names the outcome for messages.
func (o outcome) String() string {
	switch {
	case o.denial != nil:
		return fmt.Sprintf("deny %s at %s", o.denial.Code, o.denial.Stage)
	case o.none:
		return "none"
	}
	return fmt.Sprintf("some %+v", o.filter)
}

// denialOf returns the denial of a decision that must be one with this code.
func denialOf(t testing.TB, d scope.Decision, code scope.Code) *scope.Denial {
	t.Helper()
	o := outcomeOf(d)
	if o.denial == nil || o.denial.Code != code {
		t.Fatalf("the decision is %v, want a denial with code %s", o, code)
	}
	return o.denial
}
