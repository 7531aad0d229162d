package scope_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

func TestRulesAreRefusedWithoutWhatTheyNeed(t *testing.T) {
	native := answer(scope.Access{})
	for name, cfg := range map[string]scope.Config{
		"no registry":       {Native: native},
		"no native access":  {Registry: scope.Standard()},
		"negative timeout":  {Registry: scope.Standard(), Native: native, Timeout: -1},
		"negative MaxTeams": {Registry: scope.Standard(), Native: native, MaxTeams: -1},
	} {
		if rules, err := scope.NewRules(cfg); err == nil || rules != nil {
			t.Errorf("a Config with %s gives rules %v and error %v", name, rules, err)
		}
	}
}

func TestTheZeroRulesDeny(t *testing.T) {
	var rules scope.Rules
	denialOf(t, rules.Evaluate(t.Context(), scope.Request{}), scope.CodeInvalidScope)
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"}
	denialOf(t, rules.Evaluate(t.Context(), req), scope.CodeInvalidResource)
}

func TestTheFilterIsWhatGrantAndNativeAccessBothAllow(t *testing.T) {
	for _, tt := range []struct {
		name, filter string
		native       scope.Access
		want         *scope.Filter // nil: none
	}{
		{"no filter", `{}`, everything("b", "a"), &scope.Filter{Personal: true, Teams: []string{"a", "b"}}},
		{"no filter, duplicates from native", `{}`, everything("b", "a", "b", "a"), &scope.Filter{Personal: true, Teams: []string{"a", "b"}}},
		{"no filter, no team", `{}`, everything(), &scope.Filter{Personal: true}},
		{"no filter, nothing from native", `{}`, scope.Access{Allowed: true}, nil},
		{"some teams", `{"include_teams":["c","a"]}`, everything("d", "a", "b", "a"), &scope.Filter{Personal: true, Teams: []string{"a"}}},
		{"all of the teams", `{"include_teams":["c","a","b"]}`, everything("c", "b", "a"), &scope.Filter{Personal: true, Teams: []string{"a", "b", "c"}}},
		{"other teams", `{"include_teams":["c"]}`, everything("a", "b"), &scope.Filter{Personal: true}},
		{"other teams, no personal rows", `{"include_teams":["c"],"include_personal":false}`, everything("a", "b"), nil},
		{"team ids in another case", `{"include_teams":["A"],"include_personal":false}`, everything("a"), nil},
		{"no teams", `{"include_teams":[]}`, everything("a", "b"), &scope.Filter{Personal: true}},
		{"no teams, no personal rows", `{"include_teams":[],"include_personal":false}`, everything("a", "b"), nil},
		{"no personal rows", `{"include_personal":false}`, everything("a"), &scope.Filter{Teams: []string{"a"}}},
		{"no personal rows and no team", `{"include_personal":false}`, everything(), nil},
		{"no personal rows by native", `{}`, scope.Access{Allowed: true, Teams: []string{"a"}}, &scope.Filter{Teams: []string{"a"}}},
		{"no personal rows by native, no teams by grant", `{"include_teams":[]}`, scope.Access{Allowed: true, Teams: []string{"a"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustParse(t, `{"resources":["notes","tasks"],"filters":{"tasks":`+tt.filter+`},"max_rows_per_query":30}`)
			req := scope.Request{Grant: grantOf(s), Resource: "tasks", Limit: scope.ParseLimit("7")}
			got := outcomeOf(rulesWith(t, answer(tt.native)).Evaluate(t.Context(), req))
			if tt.want == nil {
				if !got.none {
					t.Errorf("the outcome is %v, want none", got)
				}
				return
			}
			want := *tt.want
			want.Resource, want.Subject, want.Limit = "tasks", "user-1", 7
			if len(got.filter.Teams) == 0 {
				got.filter.Teams = nil
			}
			if !reflect.DeepEqual(got.filter, want) {
				t.Errorf("the outcome is %v, want some %+v", got, want)
			}
		})
	}
}

func TestNativeAccessIsAskedOnceAboutThisRequestOnly(t *testing.T) {
	var asked []scope.AccessRequest
	rules := rulesWith(t, nativeFunc(func(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
		asked = append(asked, req)
		return scope.Access{}, nil
	}))
	rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"})
	want := []scope.AccessRequest{{Grant: "grant-1", Peer: "peer-1", Subject: "user-1", Resource: "tasks"}}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("native access is asked %+v, want %+v", asked, want)
	}
}

func TestTheTeamsOfAFilterAreNotThoseOfNativeAccess(t *testing.T) {
	teams := []string{"c", "a", "b"}
	for _, filter := range []string{`{}`, `{"include_teams":["a","b","c"]}`} {
		rules := rulesWith(t, answer(everything(teams...)))
		s := mustParse(t, `{"resources":["tasks"],"filters":{"tasks":`+filter+`},"max_rows_per_query":1}`)
		got := outcomeOf(rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(s), Resource: "tasks"})).filter
		for i := range got.Teams {
			got.Teams[i] = "changed"
		}
		if want := []string{"c", "a", "b"}; !reflect.DeepEqual(teams, want) {
			t.Errorf("with filter %s, native's own teams became %q", filter, teams)
		}
	}
}

func TestRulesServeManyRequestsAtOnce(t *testing.T) {
	rules := rulesWith(t, answer(everything("b", "a")))
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"}
	done := make(chan string)
	for range 8 {
		go func() { done <- outcomeOf(rules.Evaluate(t.Context(), req)).String() }()
	}
	first := <-done
	for range 7 {
		select {
		case other := <-done:
			if other != first {
				t.Errorf("one outcome is %s, another %s", first, other)
			}
		case <-time.After(time.Minute):
			t.Fatal("an evaluation does not return")
		}
	}
}
