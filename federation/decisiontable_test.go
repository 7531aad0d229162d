package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A situation is one list or get request to one host, made of independent parts so that
// any two conditions of the decision table can hold in it at once.
type situation struct {
	host       *host
	verb       string
	method     string
	media      string
	resource   string
	item       string   // of a get
	members    []string // of the body
	pad        int      // spaces behind the body
	credential []error  // of the first authentication
	again      error    // of the second one
	access     scope.Access
	native     error
	query      error
}

func newSituation(tb testing.TB) *situation {
	return &situation{
		host: newHost(tb), verb: "list", method: http.MethodPost, media: "application/json", resource: "tasks",
		access: scope.Access{Allowed: true, Personal: true, Teams: []string{"team-1"}},
	}
}

func newGetSituation(tb testing.TB) *situation {
	s := newSituation(tb)
	s.verb, s.item = "get", "7"
	return s
}

func (s *situation) serve(tb testing.TB) *httptest.ResponseRecorder {
	tb.Helper()
	calls := 0
	s.host.authenticate = func(*http.Request) (scope.Grant, error) {
		calls++
		if calls == 1 {
			return s.host.grant, errors.Join(s.credential...)
		}
		return s.host.grant, s.again
	}
	s.host.native = func(context.Context, scope.AccessRequest) (scope.Access, error) { return s.access, s.native }
	if s.query != nil {
		s.host.list = failing(s.query)
		s.host.get = failingGet(s.query)
	}
	path := Prefix + s.verb + "/" + s.resource
	if s.item != "" {
		path += "/" + s.item
	}
	r := newPost(path, "{"+strings.Join(s.members, ",")+"}"+strings.Repeat(" ", s.pad))
	r.Method = s.method
	r.Header.Set("Content-Type", s.media)
	return s.host.serve(tb, r)
}

func failing(err error) func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	return func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return nil, nil, err
	}
}

func failingGet(err error) func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
	return func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) { return nil, false, err }
}

// limiterFunc is a Limiter.
type limiterFunc func(key string) (time.Duration, bool)

func (f limiterFunc) Allow(key string) (time.Duration, bool) { return f(key) }

func refuseAll(string) (time.Duration, bool) { return time.Minute, false }

// A condition is one row of the decision table (1 to 17), or one half of a row that
// stands at two places.
type condition struct {
	name   string
	hold   func(*situation)
	sets   string // conditions that set the same thing exclude each other
	status int
	code   scope.Code
	wire   string // empty: rows
}

// A decisionTest is the decision table of one verb.
type decisionTest struct {
	verb       string
	situation  func(testing.TB) *situation
	conditions []condition
}

func decisionTests() []decisionTest {
	return []decisionTest{
		{"list", newSituation, conditionsInOrder},
		{"get", newGetSituation, getConditionsInOrder()},
	}
}

// getConditionsInOrder are the conditions of a get: those of a list without limit and
// cursor, and with nothing found in the place of an empty page.
func getConditionsInOrder() []condition {
	var conditions []condition
	for _, c := range conditionsInOrder {
		row, _, _ := strings.Cut(c.name, " ")
		switch row {
		case "9", "11":
		case "14":
			c.status, c.code, c.wire = 404, codeNothingLeft, "not_found"
			conditions = append(conditions, c, condition{
				"15 malformed id", func(s *situation) { s.item = "7\x00" }, "item", 404, codeItemNotFound, "not_found",
			})
		case "15":
			conditions = append(conditions, condition{
				"15 no such row", func(s *situation) { s.item = "61" }, "item", 404, codeItemNotFound, "not_found",
			}, c)
		default:
			conditions = append(conditions, c)
		}
	}
	return conditions
}

// conditionsInOrder are all conditions in the order in which they count. Row 10
// refuses nothing and has a test of its own; row 15 is when nothing else holds.
var conditionsInOrder = []condition{
	{"1 unknown path", func(s *situation) { s.verb = "lists" }, "", 404, codeBadPath, "not_found"},
	{"1 wrong method", func(s *situation) { s.method = http.MethodGet }, "", 405, codeBadMethod, "invalid_request"},
	{"1 wrong type", func(s *situation) { s.media = "text/plain" }, "", 415, codeBadType, "invalid_request"},
	{"1 body over 8 KiB", func(s *situation) { s.pad = maxBody }, "", 413, codeBodyTooLarge, "invalid_request"},
	{"1 unknown member", func(s *situation) { s.members = append(s.members, `"where":"1=1"`) }, "", 400, codeBadBody, "invalid_request"},
	{"4 address over its rate", func(s *situation) { s.host.addresses = limiterFunc(refuseAll) }, "", 429, codeRateLimited, "rate_limited"},
	{"2 no credential", func(s *situation) { s.credential = append(s.credential, ErrNoCredential) }, "", 401, codeNoCredential, "unauthorized"},
	{"3 grant revoked", func(s *situation) { s.credential = append(s.credential, ErrGrantRevoked) }, "", 403, codeGrantRevoked, "forbidden"},
	{"4 grant over its rate", func(s *situation) { s.host.grants = limiterFunc(refuseAll) }, "", 429, codeRateLimited, "rate_limited"},
	{"4 grant with too many requests under way", func(s *situation) { s.host.busy() }, "", 429, codeTooManyAtOnce, "rate_limited"},
	{"5 invalid scope", func(s *situation) { s.host.grant.Scope = scope.Scope{} }, "", 403, scope.CodeInvalidScope, "scope_violation"},
	{"6 unknown resource", func(s *situation) { s.resource = "invoices" }, "resource", 400, scope.CodeInvalidResource, "invalid_request"},
	{"7 excluded resource", func(s *situation) { s.resource = "credentials" }, "resource", 403, scope.CodeResourceExcluded, "scope_violation"},
	{"8 resource not granted", func(s *situation) {
		s.resource = "memory"
		if !s.host.grant.Scope.IsZero() {
			s.host.grant.Scope = narrower
		}
	}, "resource", 403, scope.CodeResourceNotGranted, "scope_violation"},
	{"9 limit of zero", func(s *situation) { s.members = append(s.members, `"limit":0`) }, "", 400, scope.CodeInvalidLimit, "invalid_request"},
	{"11 forged cursor", func(s *situation) { s.members = append(s.members, `"cursor":"bm90IG91cnM"`) }, "", 400, codeCursorVersion, "invalid_request"},
	{"12 native access fails", func(s *situation) { s.native = errors.New("native access is down") }, "", 503, scope.CodeNativeUnavailable, "unavailable"},
	{"13 native access denies", func(s *situation) { s.access.Allowed = false }, "", 403, scope.CodeNativeDenied, "scope_violation"},
	{"16 grant revoked meanwhile", func(s *situation) { s.again = ErrGrantRevoked }, "", 403, codeGrantRevoked, "forbidden"},
	{"14 nothing left", func(s *situation) { s.access.Personal, s.access.Teams = false, nil }, "", 200, codeOK, ""},
	{"17 query fails", func(s *situation) { s.query = errors.New("relation does not exist") }, "", 500, codeQueryFailed, "internal_error"},
	{"15 rows", func(*situation) {}, "", 200, codeOK, ""},
}

// narrower is a scope without memory.
var narrower = mustScope(`{"resources":["tasks","notes"],"excluded_resources":["credentials"],"max_rows_per_query":25}`)

func mustScope(stored string) scope.Scope {
	parsed, err := scope.Parse(scope.Standard(), []byte(stored))
	if err != nil {
		panic(err)
	}
	return parsed
}

// check compares an answer with what the condition calls for.
func (c condition) check(t *testing.T, s *situation, response *httptest.ResponseRecorder) {
	t.Helper()
	if response.Code != c.status {
		t.Errorf("the status is %d, not %d: %s", response.Code, c.status, response.Body)
	}
	if got := s.host.log.last(t)["code"]; got != string(c.code) {
		t.Errorf("the log says %v, not %s", got, c.code)
	}
	if c.wire == "" && s.verb == "get" {
		mustItem(t, response)
	} else if c.wire == "" {
		mustPage(t, response)
	} else if got := mustError(t, response); got != c.wire {
		t.Errorf("the peer is told %s, not %s", got, c.wire)
	}
}

// forEachCondition hands on a situation in which each condition of each verb holds.
func forEachCondition(t *testing.T, do func(name string, s *situation, c condition)) {
	t.Helper()
	for _, table := range decisionTests() {
		for _, c := range table.conditions {
			s := table.situation(t)
			c.hold(s)
			do(table.verb+" "+c.name, s, c)
		}
	}
}

func TestEachRowOfTheDecisionTableHasItsAnswer(t *testing.T) {
	for _, table := range decisionTests() {
		for _, c := range table.conditions {
			t.Run(table.verb+" "+c.name, func(t *testing.T) {
				s := table.situation(t)
				c.hold(s)
				c.check(t, s, s.serve(t))
			})
		}
	}
}

func TestTheFirstOfTwoRowsThatHoldIsTheAnswer(t *testing.T) {
	for _, table := range decisionTests() {
		for i, first := range table.conditions {
			for _, second := range table.conditions[i+1:] {
				if first.sets != "" && first.sets == second.sets {
					continue
				}
				t.Run(table.verb+" "+first.name+" before "+second.name, func(t *testing.T) {
					s := table.situation(t)
					first.hold(s)
					second.hold(s)
					first.check(t, s, s.serve(t))
				})
			}
		}
	}
}

func TestNothingBehindARefusalIsAsked(t *testing.T) {
	for _, table := range decisionTests() {
		for i, c := range table.conditions {
			row := func(name string) bool {
				return i >= slices.IndexFunc(table.conditions, func(c condition) bool { return c.name == name })
			}
			t.Run(table.verb+" "+c.name, func(t *testing.T) {
				s := table.situation(t)
				c.hold(s)
				s.serve(t)
				if asked := s.host.authenticated.Load() > 0; asked != row("2 no credential") {
					t.Errorf("the authenticator was asked: %t", asked)
				}
				if asked := s.host.nativeAsked.Load() > 0; asked != row("12 native access fails") {
					t.Errorf("native access was asked: %t", asked)
				}
				read := row("17 query fails") || c.name == "16 grant revoked meanwhile"
				if asked := s.host.reads() > 0; asked != read {
					t.Errorf("rows were asked for: %t", asked)
				}
			})
		}
	}
}

func TestALimitAboveTheCapIsClamped(t *testing.T) {
	for limit, want := range map[string]int{
		`1`: 1, `"1"`: 1, `24`: 24, `25`: 25, `26`: 25, `"26"`: 25, `9007199254740991`: 25, `"9007199254740991"`: 25,
	} {
		h := newHost(t)
		if got := len(mustPage(t, h.post(t, "tasks", `{"limit":`+limit+`}`)).Items); got != want {
			t.Errorf("limit %s gives %d rows where %d were due", limit, got, want)
		}
	}
	if got := len(mustPage(t, newHost(t).post(t, "tasks", "")).Items); got != 25 {
		t.Errorf("no limit gives %d rows where the cap of 25 was due", got)
	}
}

func TestALimitThatIsNoPlainIntegerIsRefused(t *testing.T) {
	for _, limit := range []string{
		`0`, `-1`, `-0`, `1.0`, `1.5`, `1e1`, `1E+1`, `9007199254740992`, `1e999`, `null`, `true`, `false`, `[]`, `[1]`, `{}`,
		`""`, `"0"`, `"01"`, `"+5"`, `"-5"`, `" 5 "`, `"5 "`, `"1e3"`, `"0x10"`, `"0b11"`, `"1_0"`, `"5\u0000"`, `"٥"`, `"five"`,
		`"9007199254740992"`, `"99999999999999999999999"`,
	} {
		h := newHost(t)
		response := h.post(t, "tasks", `{"limit":`+limit+`}`)
		if response.Code != http.StatusBadRequest || h.log.last(t)["code"] != string(scope.CodeInvalidLimit) {
			t.Errorf("limit %s is answered with %d, %v", limit, response.Code, h.log.last(t)["code"])
		}
		if h.nativeAsked.Load()+h.listed.Load() != 0 {
			t.Errorf("limit %s reached native access or the lister", limit)
		}
	}
}

// Each internal code of the table must be producible through HTTP, so that no
// ruling is dead and no code is missing from the tests of this package.
func TestEachRulingIsReachedThroughHTTP(t *testing.T) {
	reached := map[scope.Code]bool{}
	for _, table := range decisionTests() {
		for _, c := range table.conditions {
			reached[c.code] = true
		}
	}
	for _, f := range slices.Concat(failures(t), cursorFaults(t), mergedFaults()) {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t)
				response := f.serve(t, h)
				line := h.log.last(t)
				code, _ := line["code"].(string)
				reached[scope.Code(code)] = true
				if code != string(f.code) {
					t.Errorf("the log says %s, not %s: %v", code, f.code, line["err"])
				}
				want := rulings[f.code]
				if response.Code != want.status {
					t.Errorf("the status is %d, not %d", response.Code, want.status)
				}
				if wire := mustError(t, response); wire != want.wire {
					t.Errorf("the peer is told %s, not %s", wire, want.wire)
				}
			})
		})
	}
	for _, r := range decisionTable {
		if !reached[r.code] {
			t.Errorf("no request ends as %s", r.code)
		}
	}
}

func TestTheTableHasEachCodeOnceAndOnlyCodesOfTheContract(t *testing.T) {
	contract := []string{wireUnauthorized, wireForbidden, wireScopeViolation, wireInvalidRequest,
		wireNotFound, wireRateLimited, wireInternalError, wireUnavailable}
	if len(rulings) != len(decisionTable) {
		t.Errorf("%d rulings have %d codes", len(decisionTable), len(rulings))
	}
	for _, r := range decisionTable {
		if !slices.Contains(contract, r.wire) {
			t.Errorf("%s is %q on the wire, which the contract does not know", r.code, r.wire)
		}
		if r.message == "" || r.stage == "" || r.status < 400 {
			t.Errorf("the ruling of %s is incomplete: %+v", r.code, r)
		}
	}
}

// A condition begins with the number of its row. Row 16 ends with the codes of row
// 3 too.
func TestEachCodeStandsInTheRowThatDecidesIt(t *testing.T) {
	for _, table := range decisionTests() {
		for _, c := range table.conditions {
			row, _, _ := strings.Cut(c.name, " ")
			if c.wire != "" && row != "16" && row != strconv.Itoa(rulings[c.code].row) {
				t.Errorf("%s ends as %s, which stands in row %d", c.name, c.code, rulings[c.code].row)
			}
		}
	}
}

// An evaluator of the host may deny with a code of its own: that is a failure of
// the handler, and never an allow.
func TestACodeThatTheTableDoesNotKnowIsAFailure(t *testing.T) {
	r := &refusal{code: "house_rule", stage: "house", err: fmt.Errorf("only on Mondays")}
	got := refuse(r, false)
	if got.status != http.StatusInternalServerError {
		t.Errorf("the status is %d", got.status)
	}
	if body := string(got.body); strings.Contains(body, "house") || strings.Contains(body, "Monday") {
		t.Errorf("the peer is told %s", body)
	}
}
