package federation

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What a ClientConfig has that names no number.
const (
	defaultClientTimeout  = 10 * time.Second
	defaultClientAttempts = 3
	defaultMaxResponse    = 4 << 20
)

// maxMaxResponse is the most that a host may allow an answer: all of it is in memory.
const maxMaxResponse = 1 << 30

// ClientConfig is what a client is made of.
type ClientConfig struct {
	// URL is where the gateway is, such as https://gateway.example:8443. The client
	// adds [Prefix] and the rest. A path before Prefix is kept; a query is refused.
	// Required.
	URL string

	// TLS makes the client speak TLS with limits fit for a peer that hangs: its
	// Certificates are those that the peer knows the grant by, its RootCAs those that
	// sign the peer's. It asks no proxy, whatever the environment says. Exactly one of TLS
	// and HTTP is required.
	//
	// A certificate is shown when a connection is made. One that GetClientCertificate has
	// renewed counts from the next connection on, which is the one after a refusal where
	// the peer has federation/mtls; with a ClientSessionCache, from the next session on.
	TLS *tls.Config

	// HTTP makes the requests, whatever they travel over. It is copied: the copy
	// follows no redirect.
	HTTP *http.Client

	// Timeout bounds one attempt, from its start to the last byte of the answer.
	// The context of a call bounds all its attempts. Defaults to 10 seconds.
	Timeout time.Duration

	// Attempts is how often a call is tried at most, see [Client]. Defaults to 3; 1
	// is without retries.
	Attempts int

	// MaxResponse bounds the body of an answer in bytes, once it is decompressed. A
	// longer one is ErrProtocolViolation, and is not read to its end. Defaults to
	// 4 MiB; 1 GiB is the most.
	MaxResponse int64
}

// A Client reads from a gateway of the federation protocol, this package's own or
// another. It is safe for concurrent use.
//
// Each of its calls is a read, so it may be tried again where that can help: after a
// connection that failed or broke off, an attempt that took too long, a 502, 503 or 504
// and a 429. In between it waits: a random time of at most 50 ms before the second
// attempt, of twice as much before each further one, and as long as Retry-After says. A
// wait that the context does not leave time for, or of more than 5 seconds, is not begun:
// then the last error is returned at once. No other answer is asked for twice.
//
// Every error of a call is a *[PeerError], and matches its [ErrorCode] with errors.Is;
// it also matches context.Canceled or context.DeadlineExceeded if that was the reason.
type Client struct {
	base        string
	http        *http.Client
	timeout     time.Duration
	attempts    int
	maxResponse int64
	pause       func(ctx context.Context, wait time.Duration) error
}

// NewClient returns a client, or an error that says what is wrong with cfg. It asks the
// gateway for nothing.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := baseURL(cfg.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("federation: ClientConfig.URL: %w", err)
	case (cfg.HTTP == nil) == (cfg.TLS == nil):
		return nil, errors.New("federation: exactly one of ClientConfig.HTTP and ClientConfig.TLS is required")
	case cfg.Timeout < 0:
		return nil, errors.New("federation: ClientConfig.Timeout is negative")
	case cfg.Attempts < 0:
		return nil, errors.New("federation: ClientConfig.Attempts is negative")
	case cfg.MaxResponse < 0, cfg.MaxResponse > maxMaxResponse:
		return nil, fmt.Errorf("federation: ClientConfig.MaxResponse is %d, and not 0 to %d", cfg.MaxResponse, maxMaxResponse)
	case cfg.TLS != nil && !strings.HasPrefix(base, "https:"):
		return nil, errors.New("federation: ClientConfig.TLS needs a URL of https")
	}
	c := &Client{
		base:        base,
		timeout:     orDefault(cfg.Timeout, defaultClientTimeout),
		attempts:    orDefault(cfg.Attempts, defaultClientAttempts),
		maxResponse: orDefault(cfg.MaxResponse, defaultMaxResponse),
		pause:       pause,
	}
	if cfg.TLS != nil {
		c.http = &http.Client{Transport: newTransport(cfg.TLS)}
	} else {
		copied := *cfg.HTTP
		c.http = &copied
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// orDefault returns value, or what stands in its place if it is zero.
func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// baseURL returns what stands before the path of every request.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("the scheme %q is neither https nor http", u.Scheme)
	case u.Host == "":
		return "", errors.New("it names no host")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", errors.New("it has a user, a query or a fragment")
	}
	return strings.TrimSuffix(u.String(), "/") + Prefix, nil
}

// A ListRequest asks for one page.
type ListRequest struct {
	// Limit is how many rows at most. 0 leaves it to the gateway, which also clamps a
	// limit above what the grant allows.
	Limit int

	// Cursor is the Next of the page before, empty for the first page.
	Cursor string

	// Source asks a gateway with a [FanOut] for more than its own rows, see
	// [ParseSource]. Empty asks for those alone. Other gateways refuse it.
	Source string
}

// List reads one page of a resource.
func (c *Client) List(ctx context.Context, resource string, r ListRequest) (Page, error) {
	return c.list(ctx, resource, r, "")
}

// list reads one page. The hop is where the request comes from if it is asked on behalf
// of another one.
func (c *Client) list(ctx context.Context, resource string, r ListRequest, hop string) (Page, error) {
	if err := r.check(); err != nil {
		return Page{}, err
	}
	text, reply, err := c.call(ctx, question{
		method: http.MethodPost,
		path:   verbList + "/" + url.PathEscape(resource),
		body:   r.body(),
		hop:    hop,
	})
	if err != nil {
		return Page{}, err
	}
	page, err := parsePage(text, r)
	if err != nil {
		return Page{}, reply.violation(err)
	}
	return page, nil
}

func (r ListRequest) check() error {
	if r.Limit < 0 {
		return &PeerError{Code: ErrInvalidRequest, Err: fmt.Errorf("the limit %d is negative", r.Limit)}
	}
	return nil
}

func (r ListRequest) body() []byte {
	return marshal(struct {
		Limit  int    `json:"limit,omitempty"`
		Cursor string `json:"cursor,omitempty"`
		Source string `json:"source,omitempty"`
	}{r.Limit, r.Cursor, r.Source})
}

// Get reads one row by its id, one JSON object. A row that the grant does not show is
// ErrNotFound, as one that is not there.
func (c *Client) Get(ctx context.Context, resource, id string) (json.RawMessage, error) {
	text, reply, err := c.call(ctx, question{
		method: http.MethodPost,
		path:   verbGet + "/" + url.PathEscape(resource) + "/" + url.PathEscape(id),
	})
	if err != nil {
		return nil, err
	}
	item, err := parseItem(text)
	if err != nil {
		return nil, reply.violation(err)
	}
	return item, nil
}
