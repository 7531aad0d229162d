package scope_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mosaicstack/fedkit/scope"
)

// teamTable is a host's native access: every user may read their own rows and
// those of their teams, but nobody's credentials.
type teamTable map[string][]string

func (t teamTable) ReadAccess(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
	if req.Resource == "credentials" || req.Resource == "api_keys" {
		return scope.Access{Reason: "never shared"}, nil
	}
	return scope.Access{Allowed: true, Personal: true, Teams: t[req.Subject]}, nil
}

func Example() {
	stored := []byte(`{
		"resources": ["tasks", "notes", "credentials"],
		"filters": {"tasks": {"include_teams": ["red", "green"], "include_personal": false}},
		"max_rows_per_query": 100
	}`)
	granted, err := scope.Parse(scope.Standard(), stored)
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := scope.NewRules(scope.Config{
		Registry: scope.Standard(),
		Native:   teamTable{"ada": {"red", "blue"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	grant := scope.Grant{ID: "grant-1", Peer: "east", Subject: "ada", Scope: granted}
	for _, resource := range []string{"tasks", "credentials", "memory"} {
		decision := rules.Evaluate(context.Background(), scope.Request{
			Grant:    grant,
			Resource: resource,
			Limit:    scope.ParseLimit("500"),
		})
		decision.Switch(
			func(d *scope.Denial) { fmt.Printf("%s: denied, %s\n", resource, d.Code) },
			func() { fmt.Printf("%s: nothing to show\n", resource) },
			func(f scope.Filter) {
				fmt.Printf("%s: teams %v, personal %t, %d rows\n", resource, f.Teams, f.Personal, f.Limit)
			},
		)
	}
	// Output:
	// tasks: teams [red], personal false, 100 rows
	// credentials: denied, native_rbac_denied
	// memory: denied, resource_not_granted
}

func ExampleParse() {
	_, err := scope.Parse(scope.Standard(), []byte(`{"Resources":["tasks"],"max_rows_per_query":100}`))
	fmt.Println(err)

	var refused *scope.ParseError
	_, err = scope.Parse(scope.Standard(), []byte(
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["red",null]}},"max_rows_per_query":100}`))
	if errors.As(err, &refused) {
		fmt.Println(refused.Path, refused.Offset)
	}
	// Output:
	// scope: invalid grant scope at Resources (byte 1): the member is unknown (names are exact: "resources")
	// filters.tasks.include_teams[1] 66
}

func ExampleNewRegistry() {
	registry, err := scope.NewRegistry(append(scope.Standard().Names(), "invoices")...)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = scope.Parse(registry, []byte(`{"resources":["invoice"],"max_rows_per_query":10}`))
	fmt.Println(err)
	// Output:
	// scope: invalid grant scope at resources[0] (byte 14): this host has no resource "invoice"
}

func ExampleScope_MarshalJSON() {
	s, err := scope.Parse(scope.Standard(), []byte(
		`{"resources":["tasks","notes"], "filters":{"notes":{"include_personal":true}}, "max_rows_per_query":100}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.Marshal(s)
	fmt.Println(string(text), err)
	// Output:
	// {"max_rows_per_query":100,"resources":["notes","tasks"]} <nil>
}

func ExampleScope_Meet() {
	parse := func(text string) scope.Scope {
		s, err := scope.Parse(scope.Standard(), []byte(text))
		if err != nil {
			panic(err)
		}
		return s
	}
	mine := parse(`{"resources":["tasks","notes"],"excluded_resources":["credentials"],"max_rows_per_query":100}`)
	asked := parse(`{"resources":["tasks","memory"],"filters":{"tasks":{"include_teams":["red"]}},"max_rows_per_query":500}`)
	fmt.Println(mine.Contains(asked))

	passedOn, ok := mine.Meet(asked)
	text, _ := passedOn.MarshalJSON()
	fmt.Println(ok, mine.Contains(passedOn))
	fmt.Println(string(text))
	// Output:
	// false
	// true true
	// {"excluded_resources":["credentials"],"filters":{"tasks":{"include_teams":["red"]}},"max_rows_per_query":100,"resources":["tasks"]}
}

func ExampleScope_Lint() {
	s, err := scope.Parse(scope.Standard(), []byte(
		`{"resources":["tasks"],"filters":{"tasks":{"include_teams":["red","Red"," blue"]}},"max_rows_per_query":100}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range s.Lint() {
		fmt.Printf("%s: %s\n", w.Path, w.Message)
	}
	// Output:
	// filters.tasks.include_teams[0]: the team id " blue" has space around it
	// filters.tasks.include_teams[2]: the team id "red" differs from "Red" only by case
}

func ExampleParseLimit() {
	for _, text := range []string{"10", "1e3", "+5"} {
		fmt.Println(scope.ParseLimit(text))
	}
	fmt.Println(scope.Limit{})
	// Output:
	// 10
	// invalid
	// invalid
	// not asked
}

func ExampleFilter_Allows() {
	f := scope.Filter{Resource: "notes", Subject: "ada", Teams: []string{"red"}, Limit: 10}
	fmt.Println(f.Allows(scope.Facts{Teams: []string{"red"}}))
	fmt.Println(f.Allows(scope.Facts{Teams: []string{"red"}, Private: true, Author: "bob"}))
	fmt.Println(f.Allows(scope.Facts{Users: []string{"ada"}}))
	// Output:
	// true
	// false
	// false
}

func ExampleDecision_Trace() {
	granted, err := scope.Parse(scope.Standard(), []byte(
		`{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":100}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: teamTable{"ada": {"red"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	grant := scope.Grant{ID: "grant-1", Peer: "east", Subject: "ada", Scope: granted}
	for _, resource := range []string{"tasks", "credentials"} {
		decision := rules.Evaluate(context.Background(), scope.Request{Grant: grant, Resource: resource})
		fmt.Println(decision.Trace())
	}
	// Output:
	// grant "grant-1", peer "east", subject "ada", resource "tasks": scope_parse, resource_exclusion, resource_allowlist, row_cap (limit not asked, cap 100: 100 rows), cursor, native_rbac (personal rows, teams 1), intersect: some (personal rows, teams 1)
	// grant "grant-1", peer "east", subject "ada", resource "credentials": scope_parse, denied at resource_exclusion: resource_excluded: the scope excludes the resource
}
