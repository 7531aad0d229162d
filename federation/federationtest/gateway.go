package federationtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Gateway is what is tested.
type Gateway struct {
	// URL is what stands before the path /api/federation/v1/.
	URL string

	// Do sends a request with the credential of a grant, which has that token in the
	// fixture; with none if the token is empty, and with one that nobody knows if the
	// fixture does not have it. It follows no redirection. Defaults to BearerTokens of a
	// client with its zero values.
	Do func(r *http.Request, grant string) (*http.Response, error)

	// Peers are the names of peers of the gateway that serve the fixture, too, to the
	// same grants of it. The level fan-out asks them, and without any the gateway
	// itself alone.
	Peers []string
}

// BearerTokens sends requests with the tokens of the fixture (RFC 6750), and follows no
// redirection.
func BearerTokens(client *http.Client) func(r *http.Request, grant string) (*http.Response, error) {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(r *http.Request, grant string) (*http.Response, error) {
		if grant != "" {
			r.Header.Set("Authorization", "Bearer "+grant)
		}
		return own.Do(r)
	}
}

// Check runs all cases, one after the other. The error says why nothing could be
// tested; what the gateway does wrong is in the report. A gateway that cannot be reached
// meanwhile has failed the case.
func Check(ctx context.Context, g Gateway) (Report, error) {
	s, err := begin(ctx, g)
	if err != nil {
		return Report{}, err
	}
	for _, c := range cases {
		s.report.add(s.run(ctx, c))
	}
	return s.report, nil
}

// A suite is a run over one gateway.
type suite struct {
	gateway  Gateway
	data     fixture
	features offered
	report   Report
}

// begin finds out what the gateway offers. One that does not say so is held to lists, and
// fails them.
func begin(ctx context.Context, g Gateway) (*suite, error) {
	at, err := url.Parse(g.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("federationtest: %q is no URL of a gateway", g.URL)
	}
	if g.Do == nil {
		g.Do = BearerTokens(new(http.Client))
	}
	s := &suite{gateway: g, data: load()}
	p := s.probe(ctx)
	a, err := p.try(request{grant: "conf-all", method: http.MethodGet, path: "capabilities"})
	if err != nil {
		return nil, fmt.Errorf("federationtest: the gateway cannot be asked: %w", err)
	}
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return nil, fmt.Errorf("federationtest: the gateway does not know the grant conf-all of the fixture: %v", a)
	}
	_ = unmarshal(a, &s.features)
	s.report = Report{Gateway: g.URL, Started: time.Now().UTC(), Levels: map[Level]Result{}}
	return s, nil
}

func (s *suite) probe(ctx context.Context) *probe {
	return &probe{fixture: s.data, ctx: ctx, gateway: s.gateway}
}

// offers tells if the gateway says that it has a level.
func (s *suite) offers(l Level) bool {
	switch l {
	case Get:
		return slices.Contains(s.features.Verbs, "get")
	case FanOut:
		return slices.Contains(s.features.Features, "sources")
	}
	return true
}

// run runs one case.
func (s *suite) run(ctx context.Context, c testCase) CaseReport {
	done := CaseReport{Number: c.number, Level: c.level(), Name: c.name, Result: NotOffered}
	if !s.offers(c.level()) {
		return done
	}
	p := s.probe(ctx)
	p.guarded(c.run)
	done.Requests, done.Problems, done.Result = p.requests, p.problems, Passed
	if len(p.problems) > 0 {
		done.Result = Failed
	}
	return done
}

// guarded runs a case until its end, or until it stops.
func (p *probe) guarded(run func(*probe)) {
	defer func() {
		if value := recover(); value != nil && value != (stop{}) {
			panic(value)
		}
	}()
	run(p)
}

// ErrFailed says that a gateway failed a case.
var ErrFailed = errors.New("federationtest: the gateway does not keep the contract")

// Err returns nil if the gateway passed all that it offers, and else an error that
// matches ErrFailed and names the cases.
func (r Report) Err() error {
	var failed []string
	for _, c := range r.Cases {
		if c.Result == Failed {
			failed = append(failed, fmt.Sprintf("%d (%s)", c.Number, c.Name))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrFailed, strings.Join(failed, ", "))
}
