package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// A client reads pages over one connection.
type client struct {
	http *http.Client
	url  string
	body []byte
}

// newClient does not connect yet.
func newClient(address string, config *tls.Config) *client {
	return &client{
		http: &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone(), MaxConnsPerHost: 1}},
		url:  "https://" + address + federation.Prefix + "list/tasks",
		body: fmt.Appendf(nil, `{"limit":%d}`, pageRows),
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// page reads one page to its end. Anything but a page is an error.
func (c *client) page(ctx context.Context) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the gateway answers %d: %s", response.StatusCode, text)
	}
	return text, err
}

// A page is as much of one as tells pages apart.
type page struct {
	Items      []struct{ ID string }
	NextCursor string
}

func (c *client) decoded(ctx context.Context) (p page, err error) {
	text, err := c.page(ctx)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	return p, err
}

// turnToSecond has the client ask for the page behind the first one from now on. Who
// has no cursors sends that page always.
func (c *client) turnToSecond(ctx context.Context) error {
	first, err := c.decoded(ctx)
	if err == nil && first.NextCursor != "" {
		c.body = fmt.Appendf(nil, `{"limit":%d,"cursor":%q}`, pageRows, first.NextCursor)
	}
	return err
}

// A crowd is a number of clients at once.
type crowd []*client

// newCrowd connects a few at a time: a server has no patience with handshakes.
func newCrowd(ctx context.Context, n int, address string, config *tls.Config) (crowd, error) {
	all := make(crowd, n)
	for i := range all {
		all[i] = newClient(address, config)
	}
	for few := range slices.Chunk(all, 8) {
		if err := few.each(func(c *client) error { return c.turnToSecond(ctx) }); err != nil {
			return all, err
		}
	}
	return all, nil
}

// each has all clients do something at once, and waits for them.
func (all crowd) each(do func(*client) error) error {
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	for i, c := range all {
		wait.Go(func() { errs[i] = do(c) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// read reads pages for a time, and at least so many of them. It returns how long each one
// took, in nanoseconds.
func (all crowd) read(ctx context.Context, long time.Duration, least int) ([]float64, error) {
	var mu sync.Mutex
	var times []float64
	var pages atomic.Int64
	end := time.Now().Add(long)
	err := all.each(func(c *client) error {
		var own []float64
		for time.Now().Before(end) || pages.Load() < int64(least) {
			began := time.Now()
			if _, err := c.page(ctx); err != nil {
				return err
			}
			own = append(own, float64(time.Since(began)))
			pages.Add(1)
		}
		mu.Lock()
		defer mu.Unlock()
		times = append(times, own...)
		return nil
	})
	return times, err
}

func (all crowd) close() {
	for _, c := range all {
		c.close()
	}
}
