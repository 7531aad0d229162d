package federationtest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// Two gateways and a third one that merges their lists with its own.
func TestFedkitPassesWithPeers(t *testing.T) {
	t.Parallel()
	names := []string{"berlin", "lima"}
	urls := make(map[string]string)
	for _, name := range names {
		urls[name] = newReal(t).serve(t)
	}
	tokens := make(map[string]string) // of the grants, which the peers have as well
	for _, g := range load().Grants {
		tokens[g.ID] = g.Token
	}
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("f", 32)))
	if err != nil {
		t.Fatal(err)
	}
	merging := newReal(t)
	merging.FanOut, err = federation.NewFanOut(federation.FanOutConfig{
		Keys:          keys,
		SourceTimeout: time.Minute, // also a busy machine asks all of them in that time
		Peers: func(_ context.Context, grant scope.Grant) (peers []federation.Peer, err error) {
			for _, name := range names {
				client, err := federation.NewClient(federation.ClientConfig{
					URL: urls[name], HTTP: &http.Client{Transport: bearer(tokens[grant.ID])},
				})
				if err != nil {
					return nil, err
				}
				peers = append(peers, federation.Peer{Name: name, Client: client})
			}
			return peers, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	Run(t, Gateway{URL: merging.serve(t), Peers: names})
}

// bearer is a transport that shows a token.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
