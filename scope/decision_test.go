package scope_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestTheZeroDecisionDenies(t *testing.T) {
	denial := denialOf(t, scope.Decision{}, scope.CodeUndecided)
	if denial.Stage != scope.StageUndecided || denial.Err == nil {
		t.Errorf("the zero Decision denies at stage %q with error %v, want %q and an error", denial.Stage, denial.Err, scope.StageUndecided)
	}
}

// oneOfEach returns a denying, a none and a some decision.
func oneOfEach(t *testing.T) map[string]scope.Decision {
	evaluate := func(access scope.Access) scope.Decision {
		req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"}
		return rulesWith(t, answer(access)).Evaluate(t.Context(), req)
	}
	return map[string]scope.Decision{
		"deny": evaluate(scope.Access{}),
		"none": evaluate(scope.Access{Allowed: true}),
		"some": evaluate(everything("t1")),
	}
}

func TestSwitchCallsExactlyOneFunctionOnce(t *testing.T) {
	decisions := oneOfEach(t)
	decisions["zero"] = scope.Decision{}
	for name, d := range decisions {
		calls := map[string]int{}
		d.Switch(
			func(denial *scope.Denial) {
				calls["deny"]++
				if denial == nil {
					t.Errorf("the %s decision denies with nil", name)
				}
			},
			func() { calls["none"]++ },
			func(f scope.Filter) {
				calls["some"]++
				if f.Empty() {
					t.Errorf("the %s decision gives the filter %+v, which is Empty", name, f)
				}
			},
		)
		want := name
		if name == "zero" {
			want = "deny"
		}
		if len(calls) != 1 || calls[want] != 1 {
			t.Errorf("Switch on the %s decision calls %v, want %s once", name, calls, want)
		}
	}
}

func TestSwitchPanicsWithoutAllThreeFunctionsWhateverTheDecision(t *testing.T) {
	deny, none, some := func(*scope.Denial) {}, func() {}, func(scope.Filter) {}
	for name, d := range oneOfEach(t) {
		for missing, call := range map[string]func(){
			"deny": func() { d.Switch(nil, none, some) },
			"none": func() { d.Switch(deny, nil, some) },
			"some": func() { d.Switch(deny, none, nil) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Switch on a %s decision without the function for %s does not panic", name, missing)
					}
				}()
				call()
			}()
		}
	}
}

func TestADenialUnwrapsToItsCause(t *testing.T) {
	cause := errors.New("cause")
	var err error = &scope.Denial{Code: scope.CodeNativeUnavailable, Stage: scope.StageNativeRBAC, Err: cause}
	if !errors.Is(err, cause) {
		t.Errorf("%v does not match its cause", err)
	}
	if (&scope.Denial{}).Error() == "" {
		t.Error("the zero Denial has no message")
	}
}

func TestAHostThatWrapsAnEvaluatorCanDeny(t *testing.T) {
	reason := errors.New("legal hold")
	for name, d := range map[string]scope.Decision{
		"some":      evaluateWith(t, t.Context(), allowing(scope.Access{Allowed: true, Personal: true})),
		"none":      evaluateWith(t, t.Context(), allowing(scope.Access{Allowed: true})),
		"undecided": {},
	} {
		denial := denialOf(t, d.Deny(reason), scope.CodeNativeDenied)
		if !errors.Is(denial, reason) || denial.Stage != scope.StageNativeRBAC {
			t.Errorf("the %s decision is denied as %v at %s, want %v at %s", name, denial, denial.Stage, reason, scope.StageNativeRBAC)
		}
	}
	unavailable := evaluateWith(t, t.Context(), nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{}, errors.New("down")
	}))
	denialOf(t, unavailable.Deny(reason), scope.CodeNativeUnavailable)
}

func allowing(access scope.Access) scope.NativeRBAC {
	return nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) { return access, nil })
}
