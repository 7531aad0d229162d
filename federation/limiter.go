package federation

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// A Limiter says if one more request under a key is fine now, and if it is not,
// how long to wait before the next try. Calls run concurrently; Allow must not
// wait.
type Limiter interface {
	Allow(key string) (retryAfter time.Duration, ok bool)
}

// verdict is the answer of a Limiter.
type verdict struct {
	retryAfter time.Duration
	ok         bool
}

// limited asks a limiter, if the host gave one, and returns the refusal of row 4
// if the key is over its rate.
func limited(limiter Limiter, key string) *refusal {
	if limiter == nil {
		return nil
	}
	v, err := guarded("limiter", func() (v verdict, err error) {
		v.retryAfter, v.ok = limiter.Allow(key)
		return v, nil
	})
	switch {
	case err != nil:
		return &refusal{code: codeLimiterFailed, err: err}
	case !v.ok:
		return &refusal{code: codeRateLimited, retryAfter: v.retryAfter}
	}
	return nil
}

// address returns the IP address of the client as the key of the address limiter.
// An IPv4 address gives the same key whether or not the socket maps it to IPv6.
func address(r *http.Request) string {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return at.Addr().Unmap().WithZone("").String()
	}
	return r.RemoteAddr
}

// retryAfterSeconds renders a wait as the header Retry-After wants it: whole
// seconds, rounded up, and at least one, so that no client is told to come back at
// once.
func retryAfterSeconds(wait time.Duration) string {
	seconds := int64(wait / time.Second)
	if wait%time.Second > 0 {
		seconds++
	}
	return strconv.FormatInt(max(1, seconds), 10)
}
