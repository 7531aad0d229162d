package federation

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// The times of an HTTP-date are whole seconds.
func TestARetryAfterMayBeADate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			time.Now().Add(time.Minute).UTC().Format(http.TimeFormat):  time.Minute,
			time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat): 0,
			"tomorrow": 0,
		} {
			if got := parseRetryAfter(value); got != want {
				t.Errorf("Retry-After: %s is %v from now, want %v", value, got, want)
			}
		}
	})
}

func TestNobodyWaitsForAnotherMillennium(t *testing.T) {
	atLeast := parseRetryAfter("Fri, 31 Dec 9999 23:59:59 GMT")
	if wait, patient := backoff(t.Context(), 1, atLeast); patient || atLeast < longestWait {
		t.Errorf("a call is tried again after %v where the answer asks for %v", wait, atLeast)
	}
}

func TestACallIsTriedAgainOnlyWhereThatCanHelp(t *testing.T) {
	cut := func(w http.ResponseWriter) { // the connection, in the middle of an answer
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"items":[`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, c := range map[string]struct {
		fail    func(w http.ResponseWriter)
		retried bool
	}{
		"cut off":       {cut, true},
		"reset":         {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, true},
		"429":           {func(w http.ResponseWriter) { w.WriteHeader(429) }, true},
		"502":           {func(w http.ResponseWriter) { w.WriteHeader(502) }, true},
		"503":           {func(w http.ResponseWriter) { w.WriteHeader(503) }, true},
		"504":           {func(w http.ResponseWriter) { w.WriteHeader(504) }, true},
		"400":           {func(w http.ResponseWriter) { w.WriteHeader(400) }, false},
		"401":           {func(w http.ResponseWriter) { w.WriteHeader(401) }, false},
		"403":           {func(w http.ResponseWriter) { w.WriteHeader(403) }, false},
		"404":           {func(w http.ResponseWriter) { w.WriteHeader(404) }, false},
		"500":           {func(w http.ResponseWriter) { w.WriteHeader(500) }, false},
		"no page":       {func(w http.ResponseWriter) { io.WriteString(w, `{"rows":[]}`) }, false},
		"a redirection": {func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(307) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(failures, attempts int) (int64, error) {
				g := newGatewayStub(t, func(n int64, w http.ResponseWriter, r *http.Request) {
					if n <= int64(failures) {
						c.fail(w)
						return
					}
					io.WriteString(w, emptyPage)
				})
				client := newClient(t, g.URL, func(cfg *ClientConfig) { cfg.Attempts = attempts })
				_, err := client.List(t.Context(), "tasks", ListRequest{})
				return g.asked.Load(), err
			}
			asked, err := ask(2, 3)
			if c.retried && (asked != 3 || err != nil) {
				t.Errorf("two failures and an answer took %d requests and ended in %v", asked, err)
			}
			if !c.retried && (asked != 1 || err == nil) {
				t.Errorf("it was asked for %d times and ended in %v", asked, err)
			}
			if asked, err = ask(9, 2); c.retried && (asked != 2 || err == nil) {
				t.Errorf("two attempts were %d requests and ended in %v", asked, err)
			}
		})
	}
}

func TestWaitsBetweenAttemptsGrowAndAreRandom(t *testing.T) {
	ctx := t.Context()
	var longest [8]time.Duration
	for attempt := range longest {
		distinct := make(map[time.Duration]bool)
		for range 200 {
			wait, patient := backoff(ctx, attempt+1, 0)
			if bound := min(firstBackoff<<attempt, longestWait); !patient || wait < 0 || wait >= bound {
				t.Fatalf("the wait %d is %v, %t; its bound is %v", attempt+1, wait, patient, bound)
			}
			distinct[wait] = true
			longest[attempt] = max(longest[attempt], wait)
		}
		if len(distinct) < 100 {
			t.Errorf("200 waits have %d lengths", len(distinct))
		}
	}
	if longest[4] < 2*longest[1] {
		t.Errorf("the longest waits do not grow: %v", longest)
	}
}

func TestRetryAfterIsKeptToOrTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			after, left time.Duration
			patient     bool
		}{
			{2 * time.Second, time.Minute, true},
			{2 * time.Second, time.Second, false},
			{time.Hour, 2 * time.Hour, false},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), c.left)
			wait, patient := backoff(ctx, 1, c.after)
			if patient != c.patient || patient && wait < c.after {
				t.Errorf("Retry-After %v with %v left: wait %v, %t", c.after, c.left, wait, patient)
			}
			cancel()
		}
	})
}
