package federation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

const (
	firstBackoff = 50 * time.Millisecond // at most, before the second attempt
	longestWait  = 5 * time.Second       // between two attempts
)

// remoteAlert is the Op of the net.OpError that package tls makes of a peer's alert.
const remoteAlert = "remote error"

// mayRetry tells if the same request may have another end. The context is that of all
// attempts.
func mayRetry(ctx context.Context, failed *PeerError) bool {
	if ctx.Err() != nil {
		return false
	}
	switch failed.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case 0, http.StatusOK: // no answer, or not all of it
		return (failed.Code == ErrUnreachable || failed.Code == ErrTimeout) && !isDistrust(failed.Err)
	}
	return false
}

// isDistrust tells if the two sides do not accept one another's certificates, which no
// second attempt mends.
func isDistrust(err error) bool {
	var (
		unverified *tls.CertificateVerificationError
		unknown    x509.UnknownAuthorityError
		invalid    x509.CertificateInvalidError
		misnamed   x509.HostnameError
	)
	return errors.As(err, &unverified) || errors.As(err, &unknown) || errors.As(err, &invalid) ||
		errors.As(err, &misnamed) || isRefusedCertificate(err)
}

// isRefusedCertificate tells if the other side ended the handshake, for which it has no
// better reason than the certificate.
func isRefusedCertificate(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == remoteAlert
}

// backoff returns how long to wait after an attempt, the first of which is 1, and if that
// is worth it. It is random between nothing and a bound that doubles (full jitter), so
// that clients that failed together do not come back together.
func backoff(ctx context.Context, attempt int, atLeast time.Duration) (wait time.Duration, patient bool) {
	if atLeast > longestWait { // which may be the largest Duration there is
		return 0, false
	}
	bound := min(firstBackoff<<min(attempt-1, 10), longestWait)
	wait = atLeast + rand.N(bound)
	if wait > longestWait {
		return 0, false
	}
	deadline, limited := ctx.Deadline()
	return wait, !limited || time.Until(deadline) > wait
}

// pause waits, or returns why the context ended before.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
