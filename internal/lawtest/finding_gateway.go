package lawtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// gatewayFindings are regression tests for what is wrong in the seed's lists, as
// a peer would meet it. The numbers are those of the list of findings.
func gatewayFindings(t *testing.T, open Open) {
	run(t, open, []trial{
		{"1 cursors of every form reach all 100 rows of one transaction", findingEveryForm},
		{"1 cursors reach all 1000 rows that lie 137 µs apart", findingMicrosecondsOverHTTP},
		{"6 the seed's cursors are refused", findingSeedCursors},
		{"6 plain cursors of bad values reach no database", findingPlainCursors},
		{"6 dates that are none do not pass as cursors", findingNoDates},
		{"7 limits are canonical integers", findingLimits},
		{"7 a limit above the cap is the cap", findingClamp},
		{"8 native access that fails is unavailable and never an allow", findingNativeFails},
		{"9 denials of a resource are the same bytes", findingDenialsAlike},
		{"9 denials of a grant are the same bytes", findingGrantsAlike},
		{"10 errors are told apart by identity and not by text", findingErrorIdentity},
		{"11 memory rows say which table they are from", findingTypesOverHTTP},
	})
}

// estateGateway opens a gateway with a grant of the estate's subject.
func estateGateway(t *testing.T, open Open, fill func(r random, e estate, w *world), tune ...func(*parts)) (gateway, estate, *world) {
	t.Helper()
	db, r := open(t), newRandom(t)
	e, w := newEstate(r)
	fill(r, e, w)
	w.load(t, db)
	g := newGateway(t, db, tune...)
	g.grant(t, "grant-1", e.subject, everything(plenty))
	return g, e, w
}

func fillTransaction(r random, e estate, w *world) {
	for range 100 {
		e.everyKind(r, w, time.Date(2026, 6, 24, 3, 0, 0, 123456000, time.UTC))
	}
}

func findingEveryForm(t *testing.T, open Open) {
	for name, form := range map[string]cursor.Form{"sealed": cursor.Sealed, "signed": cursor.Signed, "plain": cursor.Plain} {
		t.Run(name, func(t *testing.T) {
			g, e, w := estateGateway(t, open, fillTransaction, func(p *parts) { p.Cursors = codecOf(t, form) })
			for _, resource := range resources {
				sameRows(t, resource, g.walk(t, "grant-1", resource, 10), oracle{world: w}.list(e.filter(resource, 10)))
			}
		})
	}
}

func findingMicrosecondsOverHTTP(t *testing.T, open Open) {
	g, e, w := estateGateway(t, open, func(r random, e estate, w *world) {
		for i := range 1000 {
			e.everyKind(r, w, noon.Add(time.Duration(i)*137*time.Microsecond))
		}
	})
	for _, resource := range resources {
		sameRows(t, resource, g.walk(t, "grant-1", resource, 50), oracle{world: w}.list(e.filter(resource, 50)))
	}
}

// refusesCursor expects 400 and no statement for a cursor of a resource.
func (g gateway) refusesCursor(t *testing.T, what, resource, token string) {
	t.Helper()
	n := g.db.meter.during(func() {
		g.list("grant-1", resource, ask(0, token)).refused(t, what, http.StatusBadRequest, "invalid_request")
	})
	if n != 0 {
		t.Errorf("%s took %d statements", what, n)
	}
}

// findingSeedCursors sends cursors in the seed's form: base64url of plain JSON.
func findingSeedCursors(t *testing.T, open Open) {
	g, e, w := estateGateway(t, open, fillTransaction)
	for _, resource := range resources {
		for _, values := range []map[string]string{
			{"createdAt": "2026-06-24T03:00:00.000Z", "id": w.tasks[0].id},
			{"createdAt": "2026-06-24T03:00:00.000Z", "id": w.insights[0].id, "source": "insights"},
			{"createdAt": "2026-06-24T03:00:00.000Z", "id": "not-a-uuid"},
			{"createdAt": "2026-06-24T03:00:00.000Z", "id": "\x00"},
			{"createdAt": "+275760-09-13T00:00:00.000Z", "id": e.project},
			{"createdAt": "-000001-01-01T00:00:00.000Z", "id": e.project},
			{"createdAt": "0000-01-01T00:00:00.000Z", "id": e.project},
			{"createdAt": "10000-01-01T00:00:00.000Z", "id": e.project},
			{"createdAt": "foo 1", "id": e.project},
			{"createdAt": "2026-02-30", "id": e.project},
			{"createdAt": "2026-06-24T03:00:00.000Z", "id": strings.Repeat("a", 3000)},
		} {
			text, err := json.Marshal(values)
			if err != nil {
				t.Fatal(err)
			}
			for _, enc := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding} {
				g.refusesCursor(t, fmt.Sprintf("the seed's cursor %s on %s", text, resource), resource, enc.EncodeToString(text))
			}
		}
		g.refusesCursor(t, "a cursor longer than any", resource, strings.Repeat("A", 5000))
	}
	items, next := g.list("grant-1", "memory", ask(10, "")).page(t)
	if len(items) != 10 || next == "" {
		t.Fatalf("memory has %d rows and the cursor %q", len(items), next)
	}
	g.refusesCursor(t, "a memory cursor on tasks", "tasks", next)
	g.refusesCursor(t, "a memory cursor on notes", "notes", next)
}

// findingPlainCursors rewrites the bytes of a plain cursor, which nothing
// protects. What is still a position may be a page; all else is refused before
// any statement, and the database never has to refuse it.
func findingPlainCursors(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction, func(p *parts) { p.Cursors = codecOf(t, cursor.Plain) })
	r := newRandom(t)
	for _, resource := range resources {
		_, next := g.list("grant-1", resource, ask(3, "")).page(t)
		good, err := base64.RawURLEncoding.DecodeString(next)
		if err != nil {
			t.Fatalf("the plain cursor %q is no base64url: %v", next, err)
		}
		pages := 0
		for range rounds(t, 150) {
			bad := mutate(r, good)
			var got reply
			n := g.db.meter.during(func() { got = g.list("grant-1", resource, ask(3, base64.RawURLEncoding.EncodeToString(bad))) })
			switch got.status {
			case http.StatusOK:
				pages++
			case http.StatusBadRequest:
				if n != 0 {
					t.Errorf("the refused plain cursor %x of %s took %d statements", bad, resource, n)
				}
			default:
				t.Errorf("the plain cursor %x of %s: %v", bad, resource, got)
			}
		}
		t.Logf("%d rewritten plain cursors of %s were positions", pages, resource)
	}
}

// mutate changes, adds or removes some bytes, the last ones most often, where
// the values are.
func mutate(r random, good []byte) []byte {
	bad := append([]byte(nil), good...)
	for range 1 + r.IntN(3) {
		i := max(0, len(bad)-1-r.IntN(1+r.IntN(len(bad))))
		switch r.IntN(8) {
		case 0:
			bad = append(bad[:i], bad[min(i+1, len(bad)):]...)
		case 1:
			bad = append(bad[:i], append([]byte{byte(r.Uint32())}, bad[i:]...)...)
		case 2:
			bad[i] = 0xff
		case 3:
			bad[i] = 0
		default:
			bad[i] ^= 1 << r.IntN(8)
		}
		if len(bad) == 0 {
			return []byte{0}
		}
	}
	return bad
}

// findingNoDates sends texts that lenient parsers take for dates or for ids.
func findingNoDates(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	for _, token := range []string{"foo 1", "2026-02-30", "2026-06-24T03:00:00Z", "0", "-1", "null", "{}", " ", "=", "AA==", "\x00", "\n", "ü"} {
		g.refusesCursor(t, fmt.Sprintf("the cursor %q", token), "tasks", token)
	}
	for _, body := range []string{`{"cursor":""}`, `{"cursor":null}`, `{"cursor":[]}`, `{"cursor":{}}`, `{"cursor":0}`, `{"cursor":true}`, `{"cursor":"\u0000"}`} {
		n := g.db.meter.during(func() {
			g.list("grant-1", "tasks", body).refused(t, body, http.StatusBadRequest, "invalid_request")
		})
		if n != 0 {
			t.Errorf("the body %s took %d statements", body, n)
		}
	}
}

// badLimitTexts are limits that the contract refuses, as JSON.
var badLimitTexts = []string{
	`"1e3"`, `"0x10"`, `"0b11"`, `" 5 "`, `"+5"`, `"-5"`, `"5.0"`, `"05"`, `""`, `"0"`, `"٥"`, `"5\u0000"`, `"1_000"`,
	`0`, `-1`, `-0`, `1.0`, `1.5`, `1e3`, `1E0`, `null`, `true`, `false`, `[]`, `[5]`, `{}`, `"five"`, `"NaN"`, `"Infinity"`,
	`9007199254740992`, `"9007199254740992"`, `18446744073709551617`, `1e400`, `99999999999999999999999999`,
}

func findingLimits(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	for _, limit := range badLimitTexts {
		n := g.db.meter.during(func() {
			g.list("grant-1", "tasks", `{"limit":`+limit+`}`).refused(t, "the limit "+limit, http.StatusBadRequest, "invalid_request")
		})
		if n != 0 {
			t.Errorf("the limit %s took %d statements", limit, n)
		}
	}
	for _, limit := range []string{`5`, `"5"`} {
		if items, next := g.list("grant-1", "tasks", `{"limit":`+limit+`}`).page(t); len(items) != 5 || next == "" {
			t.Errorf("the limit %s gives %d rows and the cursor %q", limit, len(items), next)
		}
	}
}

func findingClamp(t *testing.T, open Open) {
	g, e, _ := estateGateway(t, open, fillTransaction)
	g.grant(t, "grant-1", e.subject, everything(7))
	for _, body := range []string{``, `{}`, `{"limit":7}`, `{"limit":8}`, `{"limit":"1000"}`, `{"limit":9007199254740991}`} {
		if items, next := g.list("grant-1", "tasks", body).page(t); len(items) != 7 || next == "" {
			t.Errorf("the cap of 7 and the body %q give %d rows and the cursor %q", body, len(items), next)
		}
	}
}

// nativeFunc is native access as one func.
type nativeFunc func(ctx context.Context, req scope.AccessRequest) (scope.Access, error)

func (f nativeFunc) ReadAccess(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
	return f(ctx, req)
}

func findingNativeFails(t *testing.T, open Open) {
	allow := scope.Access{Allowed: true, Personal: true}
	for name, native := range map[string]nativeFunc{
		"an error beside an allow": func(context.Context, scope.AccessRequest) (scope.Access, error) {
			return allow, errors.New("out of order")
		},
		"a panic": func(context.Context, scope.AccessRequest) (scope.Access, error) { panic("out of order") },
		"an allow after the deadline": func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
			<-ctx.Done()
			return allow, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := seedGatewayOn(t, open, func(p *parts) { p.Native, p.Patience = native, 20*time.Millisecond })
			n := g.db.meter.during(func() {
				g.list("grant-1", "tasks", "").refused(t, "native access with "+name, http.StatusServiceUnavailable, "unavailable")
			})
			if n != 0 {
				t.Errorf("native access with %s took %d statements", name, n)
			}
		})
	}
}

// findingDenialsAlike compares rows 7, 8 and 13 of the decision table, for names
// that hold rows and names that hold none.
func findingDenialsAlike(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	g.grant(t, "granted", seedSubject, terms{Resources: []string{"tasks", "credentials", "api_keys"}, Excluded: []string{"notes"}, Cap: 5})
	denials := map[string]reply{
		"excluded":                     g.list("granted", "notes", ""),
		"not granted":                  g.list("granted", "memory", ""),
		"denied by native access":      g.list("granted", "credentials", ""),
		"denied by native access, too": g.list("granted", "api_keys", ""),
		"excluded, with a bad limit":   g.list("granted", "notes", `{"limit":0}`),
		"not granted, with a cursor":   g.list("granted", "memory", `{"cursor":"AAAA"}`),
	}
	same(t, denials, http.StatusForbidden, "scope_violation")
}

// same expects replies that do not differ in a byte.
func same(t *testing.T, replies map[string]reply, status int, code string) {
	t.Helper()
	var first, name string
	for what, r := range replies {
		r.refused(t, what, status, code)
		if first == "" {
			first, name = r.String(), what
		}
		if r.String() != first {
			t.Errorf("%q and %q differ:\n%s\n%s", name, what, first, r)
		}
	}
}

func findingGrantsAlike(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	replies := map[string]reply{"no such grant": g.list("no such grant", "tasks", "")}
	for _, err := range []error{
		federation.ErrGrantUnknown, federation.ErrGrantPending, federation.ErrGrantRevoked,
		federation.ErrGrantExpired, federation.ErrGrantMismatch, fmt.Errorf("of %s: %w", seedSubject, federation.ErrGrantRevoked),
	} {
		g.grants.fail("grant-1", err)
		for _, resource := range []string{"tasks", "credentials", "nonsense"} {
			replies[resource+" "+err.Error()] = g.list("grant-1", resource, "")
		}
	}
	same(t, replies, http.StatusForbidden, "forbidden")
}

// errSaysInvalid has the very text by which the seed knew a bad cursor.
const errSaysInvalid = bareError("Invalid federation list cursor")

// A bareError is nothing but its text.
type bareError string

func (e bareError) Error() string { return string(e) }

func findingErrorIdentity(t *testing.T, open Open) {
	g, _ := seedGatewayOn(t, open)
	g.db.meter.tamper.Store(&tamper{before: func(context.Context, string) error { return errSaysInvalid }})
	defer g.db.meter.tamper.Store(nil)
	if r := g.list("grant-1", "memory", ""); r.status < 500 {
		t.Errorf("a database error with the text of a bad cursor: %v", r)
	}
	g.grants.fail("grant-1", fmt.Errorf("%s", federation.ErrGrantRevoked))
	if r := g.list("grant-1", "tasks", ""); r.status != http.StatusServiceUnavailable {
		t.Errorf("an authenticator's error with the text of a revoked grant: %v", r)
	}
}

func findingTypesOverHTTP(t *testing.T, open Open) {
	g, e, w := estateGateway(t, open, fillTransaction)
	items := g.walk(t, "grant-1", "memory", 33)
	sameRows(t, "memory", items, oracle{world: w}.list(e.filter("memory", 33)))
	types := map[any]int{}
	for _, item := range items {
		types[item["type"]]++
	}
	if types["insight"] != 100 || types["preference"] != 100 {
		t.Errorf("the types of 100 insights and 100 preferences are %v", types)
	}
}
