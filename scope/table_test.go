package scope_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// condition is a row of the decision table whose condition can be made to hold.
type condition struct {
	name  string
	stage scope.Stage
	code  scope.Code
	// before is true of the rows that are decided before native access.
	before bool
}

// conditions are rows 5 to 9 and 11 to 14, in the order of the table. Row 10
// clamps and decides nothing; row 15 is what is left.
var conditions = []condition{
	{"row 5, invalid grant", scope.StageScopeParse, scope.CodeInvalidScope, true},
	{"row 6, not registered", scope.StageResourceAllowlist, scope.CodeInvalidResource, true},
	{"row 7, excluded", scope.StageResourceExclusion, scope.CodeResourceExcluded, true},
	{"row 8, not granted", scope.StageResourceAllowlist, scope.CodeResourceNotGranted, true},
	{"row 9, invalid limit", scope.StageRowCap, scope.CodeInvalidLimit, true},
	{"row 11, bad cursor", scope.StageCursor, "cursor_forged", true},
	{"row 12, native unavailable", scope.StageNativeRBAC, scope.CodeNativeUnavailable, false},
	{"row 13, native denied", scope.StageNativeRBAC, scope.CodeNativeDenied, false},
	{"row 14, nothing left", scope.StageIntersect, "", false},
}

const (
	row5 = iota
	row6
	row7
	row8
	row9
	row11
	row12
	row13
	row14
)

// situation is a host and a request in which exactly the rows of holds match.
type situation struct {
	holds        [9]bool
	nativeFault  func(context.Context) (scope.Access, error) // of row 12
	nativeCalls  int
	checkCalls   int
	checkedFirst bool
}

var errForged = errors.New("forged")

func (s *situation) evaluate(t *testing.T) scope.Decision {
	granted := `{"resources":["tasks"],"filters":{"tasks":{"include_teams":["a"]}},"max_rows_per_query":10}`
	if s.holds[row8] {
		granted = `{"resources":["notes"],"max_rows_per_query":10}`
	}
	if s.holds[row7] {
		granted = `{"resources":["notes"],"excluded_resources":["tasks"],"max_rows_per_query":10}`
	}
	req := scope.Request{Grant: grantOf(mustParse(t, granted)), Resource: "tasks", Check: s.check}
	registry := scope.Standard()
	if s.holds[row5] {
		req.Grant.Subject = ""
	}
	if s.holds[row6] {
		registry = registryOf(t, "notes")
	}
	if s.holds[row9] {
		req.Limit = scope.ParseLimit("0")
	}
	return rulesOf(t, scope.Config{Registry: registry, Native: nativeFunc(s.native)}).Evaluate(t.Context(), req)
}

func (s *situation) check() (scope.Code, error) {
	s.checkCalls++
	s.checkedFirst = s.nativeCalls == 0
	if s.holds[row11] {
		return "cursor_forged", errForged
	}
	return "", nil
}

func (s *situation) native(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
	s.nativeCalls++
	access := scope.Access{Allowed: !s.holds[row13], Teams: []string{"b"}}
	if !s.holds[row14] {
		access.Personal = true
	}
	if s.holds[row12] {
		faulty, err := s.nativeFault(ctx)
		faulty.Allowed, faulty.Personal = access.Allowed, access.Personal
		return faulty, err
	}
	return access, nil
}

// first returns the first row that holds, or len(conditions) for row 15.
func (s *situation) first() int {
	for i, holds := range s.holds {
		if holds {
			return i
		}
	}
	return len(conditions)
}

func (s *situation) String() string {
	var names []string
	for i, holds := range s.holds {
		if holds {
			names = append(names, conditions[i].name)
		}
	}
	return "[" + strings.Join(names, "; ") + "]"
}

// nativeFaults are the ways in which native access can be unavailable.
var nativeFaults = map[string]func(context.Context) (scope.Access, error){
	"error": func(context.Context) (scope.Access, error) { return scope.Access{}, errors.New("broken") },
	"panic": func(context.Context) (scope.Access, error) { panic("broken") },
	"malformed answer": func(context.Context) (scope.Access, error) {
		return scope.Access{Teams: []string{"a", ""}}, nil
	},
}

// TestTheFirstMatchingRowOfTheTableDecides walks every combination of rows that
// can hold at once: 512 of them, for each way in which native access can fail.
func TestTheFirstMatchingRowOfTheTableDecides(t *testing.T) {
	decided := map[int]int{}
	for fault, native := range nativeFaults {
		for mask := range 1 << len(conditions) {
			s := &situation{nativeFault: native}
			for i := range conditions {
				s.holds[i] = mask>>i&1 == 1
			}
			// An excluded resource is never granted: Parse refuses both at once.
			s.holds[row8] = s.holds[row8] || s.holds[row7]
			got, first := outcomeOf(s.evaluate(t)), s.first()
			decided[first]++
			if want := wanted(first); got.String() != want {
				t.Fatalf("with %v and native access that fails by %s, the outcome is %v, want %s", s, fault, got, want)
			}
			s.checkCallsOf(t, first)
		}
	}
	for row := range len(conditions) + 1 {
		if decided[row] == 0 {
			t.Errorf("no situation was decided by condition %d", row)
		}
	}
}

func wanted(first int) string {
	switch {
	case first == len(conditions):
		return "some {Resource:tasks Subject:user-1 Personal:true Teams:[] Limit:10}"
	case first == row14:
		return "none"
	}
	return fmt.Sprintf("deny %s at %s", conditions[first].code, conditions[first].stage)
}

// checkCallsOf checks who was asked until the row that decided.
func (s *situation) checkCallsOf(t *testing.T, first int) {
	t.Helper()
	wantNative := 1
	if first < len(conditions) && conditions[first].before {
		wantNative = 0
	}
	if s.nativeCalls != wantNative {
		t.Fatalf("with %v, native access is called %d times, want %d", s, s.nativeCalls, wantNative)
	}
	wantCheck := 1
	if first < row11 {
		wantCheck = 0
	}
	if s.checkCalls != wantCheck || wantCheck == 1 && !s.checkedFirst {
		t.Fatalf("with %v, Check is called %d times (before native access: %t), want %d", s, s.checkCalls, s.checkedFirst, wantCheck)
	}
}

func TestEveryGrantThatStandsForNobodyIsRow5(t *testing.T) {
	good := grantOf(mustParse(t, valid))
	for name, spoil := range map[string]func(*scope.Grant){
		"zero Scope":             func(g *scope.Grant) { g.Scope = scope.Scope{} },
		"empty ID":               func(g *scope.Grant) { g.ID = "" },
		"ID with a NUL":          func(g *scope.Grant) { g.ID = "grant\x00" },
		"ID that is not UTF-8":   func(g *scope.Grant) { g.ID = "grant\xff" },
		"empty Subject":          func(g *scope.Grant) { g.Subject = "" },
		"Subject with a NUL":     func(g *scope.Grant) { g.Subject = "\x00user-1" },
		"Subject that is broken": func(g *scope.Grant) { g.Subject = "user\xed\xa0\x80" },
		"nothing at all":         func(g *scope.Grant) { *g = scope.Grant{} },
	} {
		t.Run(name, func(t *testing.T) {
			s := &situation{}
			grant := good
			spoil(&grant)
			rules := rulesWith(t, nativeFunc(s.native))
			// An unknown resource and a bad limit beside it change nothing.
			d := rules.Evaluate(t.Context(), scope.Request{Grant: grant, Resource: "unknown", Limit: scope.ParseLimit("x"), Check: s.check})
			denial := denialOf(t, d, scope.CodeInvalidScope)
			if denial.Stage != scope.StageScopeParse || denial.Err == nil || s.nativeCalls+s.checkCalls > 0 {
				t.Errorf("denied at %s with %v after %d calls, want %s and an error after none",
					denial.Stage, denial.Err, s.nativeCalls+s.checkCalls, scope.StageScopeParse)
			}
		})
	}
}

func TestTheCodeAndCauseOfCheckAreThoseOfTheDenial(t *testing.T) {
	for _, tt := range []struct {
		name string
		code scope.Code
		err  error
		want scope.Code // "": the request passes
	}{
		{"nothing to say", "", nil, ""},
		{"code and error", "cursor_expired", errForged, "cursor_expired"},
		{"error without a code", "", errForged, scope.CodeUndecided},
		{"code without an error", "cursor_expired", nil, "cursor_expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := rulesWith(t, answer(everything("a"))).Evaluate(t.Context(), scope.Request{
				Grant: grantOf(mustParse(t, valid)), Resource: "tasks",
				Check: func() (scope.Code, error) { return tt.code, tt.err },
			})
			if tt.want == "" {
				if o := outcomeOf(d); o.filter.Empty() {
					t.Errorf("the outcome is %v, want some", o)
				}
				return
			}
			denial := denialOf(t, d, tt.want)
			if denial.Stage != scope.StageCursor || denial.Err == nil || tt.err != nil && !errors.Is(denial, tt.err) {
				t.Errorf("denied at %s with %v, want %s and the error %v", denial.Stage, denial.Err, scope.StageCursor, tt.err)
			}
		})
	}
}
