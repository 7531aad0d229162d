package federation

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// An auditedFanOut is what of a record is about the sources of a list.
type auditedFanOut struct {
	Code    string
	Source  Source
	Sources []SourceStatus
	Partial bool
	Limit   int
	Rows    int
}

// The audit says whom a gateway asked on behalf of a grant, whatever came of it.
func TestTheRecordOfAMergedListHasItsSources(t *testing.T) {
	m, kept := newMergingHost(t, 1, 4), new(journal)
	m.auditor = kept
	m.addPeer(t, "b", newMergingHost(t, 2, 3).serving(t))
	ask := func(what, body string, want auditedFanOut) {
		t.Helper()
		m.post(t, "tasks", body)
		records := kept.kept()
		r := records[len(records)-1]
		got := auditedFanOut{r.Code, r.Source, r.Sources, r.Partial, r.LimitApplied, r.Rows}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the record of %s (-want +got):\n%s", what, diff)
		}
	}
	const all, both = SourceAll, `{"source":"all","limit":3}`
	local, peer := SourceStatus{"local", SourceOK, ""}, SourceStatus{"peer:b", SourceExhausted, ""}
	ask("a page", both, auditedFanOut{"ok", all, []SourceStatus{local, peer}, false, 3, 3})
	ask("one peer", `{"source":"federated:b"}`, auditedFanOut{"ok", "peer:b", []SourceStatus{peer}, false, 25, 2})
	ask("the own rows", `{"limit":1}`, auditedFanOut{Code: "ok", Limit: 1, Rows: 1})
	ask("a bad limit", `{"source":"all","limit":0}`, auditedFanOut{Code: "invalid_limit", Source: all})
	ask("a peer that is none", `{"source":"peer:x"}`, auditedFanOut{Code: string(codeSourceUnknown), Source: "peer:x", Limit: 25})

	m.authenticate = revokedAfter(m, 1)
	ask("a page that was thrown away", both, auditedFanOut{"grant_revoked", all, []SourceStatus{local, peer}, false, 3, 0})
	m.authenticate = revokedAfter(m, 1000)

	m.list = failing(errors.New("down"))
	lost := SourceStatus{"local", SourceFailed, ErrInternal}
	ask("a page without the own rows", both, auditedFanOut{"ok", all, []SourceStatus{lost, peer}, true, 3, 2})
	m.authenticate = revokedAfter(m, 1)
	ask("one that was thrown away", both, auditedFanOut{"grant_revoked", all, []SourceStatus{lost, peer}, false, 3, 0})
	m.authenticate = revokedAfter(m, 1000)
	m.peers[0].Client = newClient(t, "http://127.0.0.1:1", func(cfg *ClientConfig) { cfg.Attempts = 1 })
	gone := SourceStatus{"peer:b", SourceFailed, ErrUnreachable}
	ask("no page", both, auditedFanOut{"sources_failed", all, []SourceStatus{lost, gone}, false, 3, 0})
}

// revokedAfter is an Authenticator of a grant that is revoked after some look-ups.
func revokedAfter(m *mergingHost, lookups int) func(*http.Request) (scope.Grant, error) {
	return func(*http.Request) (scope.Grant, error) {
		if lookups--; lookups < 0 {
			return scope.Grant{}, ErrGrantRevoked
		}
		return m.grant, nil
	}
}

// A cursor that does not fit is a failure of the gateway, and its peers were asked before.
func TestTheRecordOfAPageWithoutACursorHasItsSources(t *testing.T) {
	m, kept := newMergingHost(t, 1, 4), new(journal)
	m.auditor = kept
	m.addPeer(t, "b", newMergingHost(t, 2, 3).serving(t))
	m.fanOut.codec = newCodec(t, cursor.Config{MaxLen: 70})
	if response := m.post(t, "tasks", `{"source":"all","limit":1}`); response.Code != http.StatusInternalServerError {
		t.Fatalf("the answer is %d %s", response.Code, response.Body)
	}
	if r := kept.mustOne(t, "a page without a cursor"); r.Code != "query_failed" || len(r.Sources) != 2 || r.Rows != 0 {
		t.Errorf("the record is %+v", r)
	}
}
