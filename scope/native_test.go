package scope_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// evaluateWith asks for tasks of a host with this native access.
func evaluateWith(t *testing.T, ctx context.Context, native scope.NativeRBAC) scope.Decision {
	t.Helper()
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"}
	return rulesWith(t, native).Evaluate(ctx, req)
}

func TestFinding8NativeAccessIsNotAskedAboutNamesItMayNeverHaveHeardOf(t *testing.T) {
	asked := false
	native := nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		asked = true
		return everything("a"), nil // like the seed's, for any name at all
	})
	for _, name := range []string{"unknown", "", "Tasks", "tasks\x00", "../tasks", strings.Repeat("x", 100_000)} {
		req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: name}
		denialOf(t, rulesWith(t, native).Evaluate(t.Context(), req), scope.CodeInvalidResource)
	}
	if asked {
		t.Error("native access was asked about a name outside of the registry")
	}
}

func TestFinding8AnErrorOfNativeAccessDenies(t *testing.T) {
	cause := fmt.Errorf("dial: %w", scope.ErrUnavailable)
	denial := denialOf(t, evaluateWith(t, t.Context(), nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return everything("a"), cause
	})), scope.CodeNativeUnavailable)
	if !errors.Is(denial, cause) || !errors.Is(denial, scope.ErrUnavailable) {
		t.Errorf("the denial %v does not match its cause", denial)
	}
}

func TestFinding8NativeAccessHasADeadline(t *testing.T) {
	for _, tt := range []struct {
		name          string
		timeout, near time.Duration // near: of the request's own context
		want          time.Duration
	}{
		{"the default", 0, 0, 2 * time.Second},
		{"configured", 300 * time.Millisecond, 0, 300 * time.Millisecond},
		{"the request's own is nearer", time.Minute, time.Second, time.Second},
		{"the request's own is farther", time.Second, time.Minute, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.near > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.near)
					defer cancel()
				}
				start := time.Now()
				rules := rulesOf(t, scope.Config{Registry: scope.Standard(), Timeout: tt.timeout, Native: nativeFunc(
					func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
						<-ctx.Done()
						return scope.Access{}, ctx.Err()
					})})
				d := rules.Evaluate(ctx, scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"})
				denial := denialOf(t, d, scope.CodeNativeUnavailable)
				if took := time.Since(start); took != tt.want || !errors.Is(denial, context.DeadlineExceeded) {
					t.Errorf("denied after %v with %v, want DeadlineExceeded after %v", took, denial.Err, tt.want)
				}
			})
		})
	}
}

func TestAnAnswerCountsUntilTheDeadlineAndNotFromThenOn(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		late  bool
	}{
		{"just in time", 2*time.Second - 1, false},
		{"at the deadline", 2 * time.Second, true},
		{"just too late", 2*time.Second + 1, true},
		{"much too late", time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := evaluateWith(t, t.Context(), nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
					time.Sleep(tt.after) // without a look at the context
					return everything("a"), nil
				}))
				if !tt.late {
					if o := outcomeOf(d); o.filter.Empty() {
						t.Errorf("the outcome is %v, want some", o)
					}
					return
				}
				if denial := denialOf(t, d, scope.CodeNativeUnavailable); !errors.Is(denial, context.DeadlineExceeded) {
					t.Errorf("the denial %v does not match DeadlineExceeded", denial)
				}
			})
		})
	}
}

// sleepyContext is a context whose timer has not run yet although its deadline
// is over, as happens when every processor is busy.
type sleepyContext struct {
	context.Context
	deadline time.Time
}

func (c sleepyContext) Deadline() (time.Time, bool) { return c.deadline, true }

func TestAnAnswerIsLateByTheClockEvenIfNoTimerHasFired(t *testing.T) {
	ctx := sleepyContext{t.Context(), time.Now().Add(-time.Second)}
	denial := denialOf(t, evaluateWith(t, ctx, answer(everything("a"))), scope.CodeNativeUnavailable)
	if !errors.Is(denial, context.DeadlineExceeded) {
		t.Errorf("the denial %v does not match DeadlineExceeded", denial)
	}
}

func TestAnErrorOfADriverAfterTheDeadlineMatchesBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled := errors.New("57014: canceling statement due to user request")
		denial := denialOf(t, evaluateWith(t, t.Context(), nativeFunc(func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
			<-ctx.Done()
			return scope.Access{}, cancelled
		})), scope.CodeNativeUnavailable)
		if !errors.Is(denial, cancelled) || !errors.Is(denial, context.DeadlineExceeded) {
			t.Errorf("the denial %v does not match the driver's error and DeadlineExceeded", denial)
		}
	})
}

func TestACancelledRequestIsDeniedWithoutAsking(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := false
	denial := denialOf(t, evaluateWith(t, ctx, nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		asked = true
		return everything("a"), nil
	})), scope.CodeNativeUnavailable)
	if asked || !errors.Is(denial, context.Canceled) {
		t.Errorf("asked: %t, denied with %v; want a denial with Canceled without asking", asked, denial.Err)
	}
}

func TestAnAnswerToARequestThatWasCancelledMeanwhileDoesNotCount(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	denial := denialOf(t, evaluateWith(t, ctx, nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		cancel()
		return everything("a"), nil
	})), scope.CodeNativeUnavailable)
	if !errors.Is(denial, context.Canceled) {
		t.Errorf("the denial %v does not match Canceled", denial)
	}
}

func TestTheContextOfNativeAccessEndsWithItsAnswer(t *testing.T) {
	var kept context.Context
	evaluateWith(t, t.Context(), nativeFunc(func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
		kept = ctx
		return everything("a"), nil
	}))
	if !errors.Is(kept.Err(), context.Canceled) {
		t.Errorf("after the evaluation the context of native access has error %v, want Canceled", kept.Err())
	}
}

func TestAPanicOfNativeAccessDenies(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		name  string
		debug string // GODEBUG
		value any
	}{
		{"text", "", "broken"},
		{"an error", "", cause},
		{"nil", "", nil},
		{"nil, of a host that asks for the old meaning", "panicnil=1", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GODEBUG", tt.debug)
			denial := denialOf(t, evaluateWith(t, t.Context(), nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
				panic(tt.value)
			})), scope.CodeNativeUnavailable)
			if tt.value == cause && !errors.Is(denial, cause) {
				t.Errorf("the denial %v does not match the error of the panic", denial)
			}
			if !strings.Contains(denial.Error(), "native_test.go") {
				t.Errorf("the denial does not show where native access panicked: %v", denial)
			}
		})
	}
}

func TestANilPointerForNativeAccessDenies(t *testing.T) {
	var host *struct{ nativeFunc }
	denialOf(t, evaluateWith(t, t.Context(), host), scope.CodeNativeUnavailable)
}

func TestGoexitOfNativeAccessEndsTheCallerWithoutADecision(t *testing.T) {
	decided := make(chan scope.Decision, 1)
	ended := make(chan struct{})
	rules := rulesWith(t, nativeFunc(func(context.Context, scope.AccessRequest) (scope.Access, error) {
		runtime.Goexit()
		return everything("a"), nil
	}))
	req := scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"}
	go func() {
		defer close(ended)
		decided <- rules.Evaluate(t.Context(), req)
	}()
	<-ended
	select {
	case d := <-decided:
		t.Errorf("Evaluate returned the decision %v", outcomeOf(d))
	default:
	}
}

func TestAMalformedAnswerDenies(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		for name, teams := range map[string][]string{
			"an empty id":                {"a", ""},
			"an id with a NUL":           {"a\x00", "b"},
			"an id that is not UTF-8":    {"a", "\xff"},
			"an id with a surrogate":     {"\xed\xa0\x80"},
			"a million teams":            slices.Repeat([]string{"a"}, 1_000_000),
			"one team more than allowed": slices.Repeat([]string{"a"}, 100_001),
		} {
			d := evaluateWith(t, t.Context(), answer(scope.Access{Allowed: allowed, Personal: true, Teams: teams}))
			if o := outcomeOf(d); o.denial == nil || o.denial.Code != scope.CodeNativeUnavailable {
				t.Errorf("an answer with %s (allowed: %t) gives %v, want a denial with %s", name, allowed, o, scope.CodeNativeUnavailable)
			}
		}
	}
}

func TestAMillionTeamsAreSortedWhereTheHostAllowsThem(t *testing.T) {
	teams := make([]string, 1_000_000)
	for i := range teams {
		teams[i] = strconv.Itoa(1_000_000 + i)
	}
	reversed := slices.Clone(teams)
	slices.Reverse(reversed)
	rules := rulesOf(t, scope.Config{Registry: scope.Standard(), MaxTeams: len(teams), Native: answer(everything(reversed...))})
	got := outcomeOf(rules.Evaluate(t.Context(), scope.Request{Grant: grantOf(mustParse(t, valid)), Resource: "tasks"})).filter.Teams
	if !slices.Equal(got, teams) {
		t.Errorf("of a million teams %d come back, or in another order", len(got))
	}
}

func TestTheZeroAccessDenies(t *testing.T) {
	denial := denialOf(t, evaluateWith(t, t.Context(), answer(scope.Access{})), scope.CodeNativeDenied)
	if denial.Stage != scope.StageNativeRBAC {
		t.Errorf("denied at %s, want %s", denial.Stage, scope.StageNativeRBAC)
	}
}

func TestAccessThatIsNotAllowedDeniesWhateverElseItSays(t *testing.T) {
	denialOf(t, evaluateWith(t, t.Context(), answer(scope.Access{Personal: true, Teams: []string{"a"}})), scope.CodeNativeDenied)
}
