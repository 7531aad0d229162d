package scope_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// containment is Contains for every pair of the universe: contains[i][j] if
// scope i contains scope j.
func containment(all []scope.Scope) (contains [][]bool) {
	contains = make([][]bool, len(all))
	for i, s := range all {
		contains[i] = make([]bool, len(all))
		for j, o := range all {
			contains[i][j] = s.Contains(o)
		}
	}
	return contains
}

func TestContainsIsAPartialOrderOnAllSmallScopes(t *testing.T) {
	all := smallUniverse(t)
	contains := containment(all)
	yes := 0
	for i := range all {
		if !contains[i][i] {
			t.Errorf("%s does not contain itself", canonical(t, all[i]))
		}
		for j := range all {
			if !contains[i][j] {
				continue
			}
			yes++
			if contains[j][i] && all[i].Hash() != all[j].Hash() {
				t.Errorf("%s and %s contain each other and have different hashes", canonical(t, all[i]), canonical(t, all[j]))
			}
			for k := range all {
				if contains[j][k] && !contains[i][k] {
					t.Fatalf("%s contains %s, which contains %s, which the first does not contain",
						canonical(t, all[i]), canonical(t, all[j]), canonical(t, all[k]))
				}
			}
		}
	}
	if pairs := len(all) * len(all); yes < pairs/50 || yes > pairs/2 {
		t.Errorf("%d of %d pairs contain each other: too one-sided to show anything", yes, pairs)
	}
}

func TestMeetIsTheGreatestScopeThatBothContain(t *testing.T) {
	all := smallUniverse(t)
	contains := containment(all)
	index := make(map[[32]byte]int)
	for i, s := range all {
		index[s.Hash()] = i
	}
	left := 0
	for i, s := range all {
		for j, o := range all {
			m, ok := s.Meet(o)
			if !ok {
				if !m.IsZero() {
					t.Fatalf("Meet of %s and %s is false with a scope beside it", canonical(t, s), canonical(t, o))
				}
				for k := range all {
					if contains[i][k] && contains[j][k] {
						t.Fatalf("%s and %s have nothing left, and both contain %s", canonical(t, s), canonical(t, o), canonical(t, all[k]))
					}
				}
				continue
			}
			left++
			at, known := index[m.Hash()]
			if !known || !contains[i][at] || !contains[j][at] {
				t.Fatalf("%s and %s do not both contain their Meet %s", canonical(t, s), canonical(t, o), canonical(t, m))
			}
			for k := range all {
				if contains[i][k] && contains[j][k] && !contains[at][k] {
					t.Fatalf("%s and %s both contain %s, and their Meet %s does not",
						canonical(t, s), canonical(t, o), canonical(t, all[k]), canonical(t, m))
				}
			}
		}
	}
	if pairs := len(all) * len(all); left < pairs/4 || left == pairs {
		t.Errorf("%d of %d pairs have something in common: too one-sided to show anything", left, pairs)
	}
}

func TestMeetIsCommutativeAssociativeAndIdempotentOnRandomScopes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	teams := []string{"a", "b", "c", "d"}
	hash := func(s scope.Scope, ok bool) string { return fmt.Sprintf("%x %t", s.Hash(), ok) }
	for range 1000 {
		a, b, c := mustParse(t, randomDraft(rng, teams).text()), mustParse(t, randomDraft(rng, teams).text()), mustParse(t, randomDraft(rng, teams).text())
		if hash(a.Meet(a)) != hash(a, true) {
			t.Fatalf("%s is not its own Meet", canonical(t, a))
		}
		if hash(a.Meet(b)) != hash(b.Meet(a)) {
			t.Fatalf("Meet of %s and %s depends on their order", canonical(t, a), canonical(t, b))
		}
		ab, _ := a.Meet(b)
		bc, _ := b.Meet(c)
		if hash(ab.Meet(c)) != hash(a.Meet(bc)) {
			t.Fatalf("Meet of %s, %s and %s depends on where one begins", canonical(t, a), canonical(t, b), canonical(t, c))
		}
		if m, ok := a.Meet(b); !a.Contains(m) || !b.Contains(m) || a.Contains(b) != (ok && m.Hash() == b.Hash()) {
			t.Fatalf("Meet %t and Contains disagree about %s and %s", ok, canonical(t, a), canonical(t, b))
		}
	}
}

func TestAMeetCanBeStoredAndReadAgain(t *testing.T) {
	all := smallUniverse(t)
	for i, s := range all {
		for _, o := range all[i:min(i+40, len(all))] {
			if m, ok := s.Meet(o); ok && mustParse(t, canonical(t, m)).Hash() != m.Hash() {
				t.Fatalf("%s reads back as another scope", canonical(t, m))
			}
		}
	}
}

func TestAMeetThatExceedsTheLimitsOfParseIsNone(t *testing.T) {
	names, _ := listOf(400)
	registry := registryOf(t, append(names, "tasks")...)
	excluding := func(names []string) scope.Scope {
		s, err := scope.Parse(registry, []byte(`{"resources":["tasks"],"excluded_resources":`+jsonList(names)+`,"max_rows_per_query":1}`))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if m, ok := excluding(names[:200]).Meet(excluding(names[56:256])); !ok || len(m.Excluded()) != 256 {
		t.Errorf("256 exclusions together: Meet says %t with %d exclusions", ok, len(m.Excluded()))
	}
	if m, ok := excluding(names[:200]).Meet(excluding(names[57:257])); ok || !m.IsZero() {
		t.Errorf("257 exclusions together: Meet says %t with %d exclusions", ok, len(m.Excluded()))
	}

	ids := make([]string, 1021)
	for i := range ids {
		ids[i] = fmt.Sprintf("%04d%s", i, strings.Repeat("😀", 251))
	}
	long, err := scope.Parse(registry, []byte(`{"resources":["tasks"],"filters":{"tasks":{"include_teams":`+jsonList(ids)+`}},"max_rows_per_query":1}`))
	if err != nil {
		t.Fatal(err)
	}
	text := canonical(t, long)
	if room := 1<<20 - len(text); room < 0 || room > 17_000 {
		t.Fatalf("the long scope leaves %d bytes of room, too much for this test", room)
	}
	wordy := make([]string, 256)
	for i := range wordy {
		wordy[i] = fmt.Sprintf("x%03d%s", i, strings.Repeat("y", 60))
	}
	registry = registryOf(t, append(wordy, "tasks")...)
	if m, ok := long.Meet(excluding(wordy)); ok || !m.IsZero() {
		t.Errorf("a Meet of more than 1 MiB of JSON says %t", ok)
	}
}

func TestTheZeroScopeIsContainedInAllAndMeetsNone(t *testing.T) {
	var zero scope.Scope
	s := mustParse(t, valid)
	if !s.Contains(zero) || !zero.Contains(zero) || zero.Contains(s) {
		t.Errorf("s contains zero: %t, zero contains zero: %t, zero contains s: %t", s.Contains(zero), zero.Contains(zero), zero.Contains(s))
	}
	for _, pair := range [][2]scope.Scope{{s, zero}, {zero, s}, {zero, zero}} {
		if m, ok := pair[0].Meet(pair[1]); ok || !m.IsZero() {
			t.Error("a Meet with the zero Scope leaves something")
		}
	}
}

func TestAnExclusionStaysInForceAlongADelegation(t *testing.T) {
	s := mustParse(t, `{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":5}`)
	silent := mustParse(t, `{"resources":["tasks"],"max_rows_per_query":5}`)
	if s.Contains(silent) {
		t.Error("a scope contains another one that drops its exclusion")
	}
	if !silent.Contains(s) {
		t.Error("a scope does not contain another one that only adds an exclusion")
	}
	granting := mustParse(t, `{"resources":["tasks","credentials"],"max_rows_per_query":5}`)
	m, ok := s.Meet(granting)
	if got, want := canonical(t, m), canonical(t, s); !ok || got != want {
		t.Errorf("the Meet is %s, want %s", got, want)
	}
}
