package federation

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAValidRequestIDIsEchoedAndAnyOtherReplaced(t *testing.T) {
	for sent, echoed := range map[string]bool{
		"a":                      true,
		"7f3a-51c9":              true,
		"!~{}\"<>":               true,
		strings.Repeat("x", 128): true,
		"":                       false,
		strings.Repeat("x", 129): false,
		"two words":              false,
		"tab\there":              false,
		"a\r\nX-Evil: 1":         false,
		"nul\x00":                false,
		"del\x7f":                false,
		"ümlaut":                 false,
		"\xff":                   false,
	} {
		h := newHost(t)
		got := h.post(t, "tasks", "", "X-Request-ID", sent).Header().Get("X-Request-ID")
		if (got == sent) != echoed {
			t.Errorf("the id %q is answered by %q", sent, got)
		}
		if !echoed && (len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "") {
			t.Errorf("the made id %q is not 128 bits in hex", got)
		}
	}
	twice := newPost(Prefix+"list/tasks", "", "X-Request-ID", "one")
	twice.Header.Add("X-Request-ID", "two")
	if got := newHost(t).serve(t, twice).Header()["X-Request-Id"]; len(got) != 1 || got[0] == "one" || got[0] == "two" {
		t.Errorf("two ids are answered by %q", got)
	}
}

func TestMadeRequestIDsDiffer(t *testing.T) {
	if a, b := requestID(http.Header{}), requestID(http.Header{}); a == b {
		t.Errorf("two requests have the id %s", a)
	}
}

func TestProblemDetailsAreForThoseWhoAskForThem(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                         false,
		"*/*":                      false,
		"application/*":            false,
		"application/json":         false,
		"application/problem+json": true,
		"Application/Problem+JSON": true,
		"application/problem+json; charset=utf-8":                   true,
		"application/json, application/problem+json":                true,
		"application/json;q=0.9, application/problem+json":          true,
		"application/json, application/problem+json;q=0.9":          false,
		"application/json;q=0.5, application/problem+json;q=0.5":    true,
		"application/problem+json;q=0":                              false,
		"application/problem+json;q=0.000, */*":                     false,
		"application/problem+json;q=0.001":                          true,
		"application/json;q=0, application/problem+json;q=0.1":      true,
		"*/*;q=1, application/problem+json;q=0.1":                   true,
		"application/problem+json;q=2":                              false,
		"application/problem+json;q=-1":                             false,
		"application/problem+json;q=NaN":                            false,
		"application/problem+json;q=1e0":                            false,
		"application/problem+json;q=":                               false,
		"application/problem+xml":                                   false,
		"text/html;;;, application/problem+json":                    true,
		",,,;;;===":                                                 false,
		strings.Repeat("a/b,", 200) + "application/problem+json":    true,
		strings.Repeat("a/b,", 10_000) + "application/problem+json": false,
	} {
		got := newHost(t).post(t, "invoices", "", "Accept", accept)
		isProblem := got.Header().Get("Content-Type") == "application/problem+json"
		if isProblem != want {
			t.Errorf("Accept: %.80q is answered with %s", accept, got.Header().Get("Content-Type"))
		}
	}
}

func TestAcceptMayStandInSeveralHeaders(t *testing.T) {
	r := newPost(Prefix+"list/invoices", "", "Accept", "application/json;q=0.5")
	r.Header.Add("Accept", "application/problem+json")
	if got := newHost(t).serve(t, r).Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("the answer is %s", got)
	}
}

func TestAProblemIsTheSameErrorInTheFormOfTheRFC(t *testing.T) {
	h := newHost(t)
	got := h.post(t, "credentials", "", "Accept", "application/problem+json")
	want := `{"type":"about:blank","title":"Forbidden","status":403,"code":"scope_violation","detail":"this resource may not be read"}` + "\n"
	if got.Body.String() != want {
		t.Errorf("the problem is %s, not %s", got.Body, want)
	}
	page := h.post(t, "tasks", "", "Accept", "application/problem+json")
	if got := page.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("a page is %s", got)
	}
}

func TestRetryAfterIsInWholeSecondsAndAtLeastOne(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		-time.Hour:                    "1",
		0:                             "1",
		time.Nanosecond:               "1",
		time.Second:                   "1",
		time.Second + time.Nanosecond: "2",
		90 * time.Second:              "90",
		time.Duration(1<<63 - 1):      "9223372037",
		-time.Duration(1<<63 - 1):     "1",
	} {
		h := newHost(t)
		h.grants = limiterFunc(func(string) (time.Duration, bool) { return wait, false })
		got := h.post(t, "tasks", "")
		if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != want {
			t.Errorf("a wait of %v is answered with %d, Retry-After: %s", wait, got.Code, got.Header().Get("Retry-After"))
		}
	}
}

func TestLimitersAreAskedByAddressAndByGrant(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:4711":          "192.0.2.7",
		"[2001:db8::7]:4711":      "2001:db8::/64",
		"[::ffff:192.0.2.7]:4711": "192.0.2.7",
		"[fe80::1%eth0]:4711":     "fe80::/64",
		"@":                       "@", // a Unix socket
		"":                        "",
	} {
		h := newHost(t)
		var addresses, grants []string
		note := func(keys *[]string) limiterFunc {
			return func(key string) (time.Duration, bool) { *keys = append(*keys, key); return 0, true }
		}
		h.addresses, h.grants = note(&addresses), note(&grants)
		r := newPost(Prefix+"list/tasks", "", "X-Forwarded-For", "198.51.100.1", "Forwarded", "for=198.51.100.1")
		r.RemoteAddr = remote
		mustPage(t, h.serve(t, r))
		if len(addresses) != 1 || addresses[0] != want || len(grants) != 1 || grants[0] != "grant-1" {
			t.Errorf("a client at %q asks for the addresses %q and the grants %q", remote, addresses, grants)
		}
	}
}
