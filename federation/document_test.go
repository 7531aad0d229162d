package federation

import (
	"net/http"
	"testing"

	"github.com/mosaicstack/fedkit/federation/contract"
)

// newDocument returns the request of a document of the contract.
func newDocument(name string) *http.Request {
	r := newCapabilities()
	r.URL.Path = Prefix + name
	return r
}

var published = map[string]string{contract.OpenAPIName: contract.OpenAPI(), contract.GrantScopeName: contract.GrantScope()}

func TestTheContractIsServedWhereTheHostAsksForIt(t *testing.T) {
	for name, text := range published {
		h := newHost(t)
		h.contract = true
		if got := h.serve(t, newDocument(name)); got.Code != http.StatusOK || got.Body.String() != text {
			t.Errorf("%s is answered with %d %.200s", name, got.Code, got.Body)
		}
		if line := h.log.last(t); line["verb"] != "contract" || line["code"] != "ok" || line["grant"] != h.grant.ID {
			t.Errorf("%s: the log says %v", name, line)
		}
		if h.nativeAsked.Load()+h.reads() != 0 {
			t.Errorf("%s asked native access or for rows", name)
		}
	}
}

// A stranger must not learn what runs here: without the option the documents are like
// every other path that is none, and with it like capabilities.
func TestTheContractIsForNoStranger(t *testing.T) {
	for name := range published {
		h := newHost(t)
		refusing(ErrNoCredential)(h)
		nothing := bytesOf(h.serve(t, newDocument("nothing")))
		if got := bytesOf(h.serve(t, newDocument(name))); got != nothing {
			t.Errorf("without the option %s is answered with\n%s", name, got)
		}
		for fault, spoil := range map[string]func(*host){
			"no credential": refusing(ErrNoCredential),
			"revoked":       refusing(ErrGrantRevoked),
			"over its rate": func(h *host) { h.addresses = limiterFunc(refuseAll) },
			"no grant id":   func(h *host) { h.grant.ID = "" },
		} {
			h := newHost(t)
			h.contract = true
			spoil(h)
			capabilities := bytesOf(h.serve(t, newCapabilities()))
			if got := bytesOf(h.serve(t, newDocument(name))); got != capabilities {
				t.Errorf("%s: %s is answered with\n%s\nand capabilities with\n%s", fault, name, got, capabilities)
			}
		}
	}
}
