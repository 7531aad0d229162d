package federation

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// A Limiter says if one more request under a key is fine now, and if it is not,
// how long to wait before the next try. Calls run concurrently; Allow must not
// wait. The module federation/ratelimit has one over golang.org/x/time/rate.
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

// AddressKey returns the key under which Config.Addresses counts a request, for a limit
// at an endpoint of the host's own: the client's IPv4 address, whether or not the socket
// maps it to IPv6, or the /64 network of its IPv6 address, since whoever has one address
// of such a network has all of them (RFC 6177).
func AddressKey(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	client := at.Addr().Unmap().WithZone("")
	if client.Is4() {
		return client.String()
	}
	network, _ := client.Prefix(64) // 64 is a length of IPv6
	return network.String()
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
