package scope_test

import (
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestTheZeroScopeAllowsNothing(t *testing.T) {
	var zero scope.Scope
	if !zero.IsZero() || len(zero.Resources()) != 0 || len(zero.Excluded()) != 0 || zero.MaxRows() != 0 || zero.Hash() != [32]byte{} {
		t.Errorf("the zero Scope has resources %q, exclusions %q, cap %d, hash %x", zero.Resources(), zero.Excluded(), zero.MaxRows(), zero.Hash())
	}
	rules := rulesWith(t, answer(everything("t1")))
	for _, resource := range append(scope.Standard().Names(), "", "unknown") {
		req := scope.Request{Grant: grantOf(zero), Resource: resource}
		denialOf(t, rules.Evaluate(t.Context(), req), scope.CodeInvalidScope)
	}
}

func TestAScopeIsImmutable(t *testing.T) {
	text := []byte(`{"resources":["tasks","notes"],"excluded_resources":["credentials"],` +
		`"filters":{"tasks":{"include_teams":["t1","t2"]}},"max_rows_per_query":100}`)
	s, err := scope.Parse(scope.Standard(), text)
	if err != nil {
		t.Fatal(err)
	}
	other := mustParse(t, `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["t1","t2","t3"]}},"max_rows_per_query":50}`)
	met, _ := s.Meet(other)
	rules := rulesWith(t, answer(everything("t1", "t2", "t3")))
	read := func(s scope.Scope) scope.Filter {
		return outcomeOf(rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(s), Resource: "tasks"})).filter
	}
	type look struct {
		text string
		hash [32]byte
	}
	looks := func() [2]look {
		return [2]look{{canonical(t, s), s.Hash()}, {canonical(t, met), met.Hash()}}
	}
	before := looks()

	for _, of := range []scope.Scope{s, met} {
		marshalled, _ := of.MarshalJSON()
		for _, list := range [][]string{of.Resources(), of.Excluded(), read(of).Teams} {
			for i := range list {
				list[i] = "changed"
			}
			_ = append(list[:0], "more")
		}
		clear(marshalled)
	}
	clear(text)
	if after := looks(); after != before {
		t.Errorf("writing to what a Scope took and gave changed it from\n%v to\n%v", before, after)
	}
	if teams := read(s).Teams; len(teams) != 2 || teams[0] != "t1" || teams[1] != "t2" {
		t.Errorf("writing to what a Scope took and gave changed its teams to %q", teams)
	}
}
