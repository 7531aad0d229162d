package federationtest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/fixturetest"
)

// A real gateway has the fixture in Postgres and fedkit in front of it. A copy of it may be
// broken.
type real struct {
	federation.Config
	wrap func(http.Handler) http.Handler // what stands between it and its peers
}

func newReal(t *testing.T) real {
	t.Helper()
	return real{fixturetest.Parts(t, Fixture()), func(next http.Handler) http.Handler { return next }}
}

// serve starts the gateway, until the test ends.
func (r real) serve(t *testing.T) string {
	t.Helper()
	handler, err := federation.NewHandler(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r.wrap(contracttest.WatchRows(t, handler)))
	t.Cleanup(server.Close)
	return server.URL
}
