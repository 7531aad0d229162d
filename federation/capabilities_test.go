package federation

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

// newCapabilities returns the request of the capabilities verb; header holds pairs
// of name and value.
func newCapabilities(header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, Prefix+"capabilities", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestCapabilitiesSayWhatTheGrantAllowsAndNoTeam(t *testing.T) {
	h := newHost(t)
	h.grant = newGrant(t, `{"resources":["tasks","notes"],"excluded_resources":["credentials"],
		"filters":{"tasks":{"include_teams":["team-secret"],"include_personal":false}},"max_rows_per_query":100}`)
	got := h.serve(t, newCapabilities())
	want := `{"resources":["notes","tasks"],"excluded_resources":["credentials"],"max_rows_per_query":100,` +
		`"supported_verbs":["list","get","capabilities"],"protocol_versions":["1"],"features":["cursors","problem_json","get"],` +
		`"limits":{"max_body_bytes":8192,"max_cursor_length":4096,"max_id_bytes":1024}}` + "\n"
	if got.Code != http.StatusOK || got.Body.String() != want {
		t.Errorf("the answer is %d\n%s, not\n%s", got.Code, got.Body, want)
	}
	if h.nativeAsked.Load()+h.reads() != 0 {
		t.Error("capabilities asked native access or for rows")
	}
}

func TestCapabilitiesWithoutExclusionsHaveAnEmptyList(t *testing.T) {
	h := newHost(t)
	h.grant = newGrant(t, `{"resources":["tasks"],"max_rows_per_query":1}`)
	if got := h.serve(t, newCapabilities()).Body.String(); !strings.Contains(got, `"excluded_resources":[],`) {
		t.Errorf("the answer is %s", got)
	}
}

func TestCapabilitiesAreAGetAlone(t *testing.T) {
	for _, method := range []string{"POST", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		r := newCapabilities()
		r.Method = method
		got := newHost(t).serve(t, r)
		if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != http.MethodGet {
			t.Errorf("%s is answered with %d, Allow: %q", method, got.Code, got.Header().Get("Allow"))
		}
	}
}

// A body that nobody asked for is not read, neither here nor by the authenticator,
// which would wait for it.
func TestCapabilitiesIgnoreABody(t *testing.T) {
	h := newHost(t)
	h.authenticate = func(r *http.Request) (scope.Grant, error) {
		_, _ = r.Body.Read(make([]byte, 1))
		return h.grant, nil
	}
	body := &countingBody{left: 10 << 20}
	r := newCapabilities()
	r.Body, r.ContentLength = body, 10<<20
	if got := h.serve(t, r); got.Code != http.StatusOK || body.read != 0 {
		t.Errorf("the answer is %d after %d bytes of the body", got.Code, body.read)
	}
}

// Rows 2 to 5 count for capabilities as for lists, in the same order and bytes.
func TestCapabilitiesAreRefusedLikeLists(t *testing.T) {
	for name, spoil := range map[string]func(*host){
		"address over its rate": func(h *host) { h.addresses = limiterFunc(refuseAll) },
		"no credential":         refusing(ErrNoCredential),
		"grant pending":         refusing(ErrGrantPending),
		"grant store down":      refusing(errors.New("dial tcp: refused")),
		"grant over its rate":   func(h *host) { h.grants = limiterFunc(refuseAll) },
		"invalid scope":         func(h *host) { h.grant.Scope = scope.Scope{} },
		"no grant id":           func(h *host) { h.grant.ID = "" },
		"grant id with NUL":     func(h *host) { h.grant.ID = "grant\x00" },
		"no subject":            func(h *host) { h.grant.Subject = "" },
		"subject not UTF-8":     func(h *host) { h.grant.Subject = "user\xff" },
		"subject with NUL":      func(h *host) { h.grant.Subject = "user\x00" },
	} {
		h := newHost(t)
		spoil(h)
		list := bytesOf(h.post(t, "tasks", ""))
		listed := h.log.last(t)
		capabilities := bytesOf(h.serve(t, newCapabilities()))
		told := h.log.last(t)
		if list != capabilities || strings.HasPrefix(list, "200") {
			t.Errorf("%s: the list answers\n%s\nand capabilities\n%s", name, list, capabilities)
		}
		for _, field := range []string{"code", "stage", "status", "level"} {
			if fmt.Sprint(listed[field]) != fmt.Sprint(told[field]) {
				t.Errorf("%s: the log says %s %v for the list and %v for capabilities", name, field, listed[field], told[field])
			}
		}
	}
}
