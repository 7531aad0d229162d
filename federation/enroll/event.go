package enroll

import (
	"context"
	"time"
)

// A Step is what an Event tells.
type Step string

// The steps of an enrollment, in their order. Refused may take the place of any but the
// first, and nothing follows it.
const (
	// Invited: a token was made.
	Invited Step = "invited"
	// Redeemed: a token was used. It is good for nothing more, whatever comes.
	Redeemed Step = "redeemed"
	// Issued: the signer has issued a certificate.
	Issued Step = "issued"
	// Bound: the grant is active, and bound to the certificate's key.
	Bound Step = "bound"
	// Refused: the request ended without a certificate.
	Refused Step = "refused"
)

// A Code says why a request was refused. It is for the host, and never on the wire.
type Code string

// The codes, and what the peer gets.
const (
	RateLimited  Code = "rate_limited"  // 429: the address has asked too often
	BadRequest   Code = "bad_request"   // 4xx: no request of this endpoint
	TokenUnknown Code = "token_unknown" // 401
	TokenGone    Code = "token_gone"    // 410: used or expired
	BadCSR       Code = "bad_csr"       // 400; the token stays good
	GrantEnded   Code = "grant_ended"   // 403: revoked, expired, or not there
	SignerFailed Code = "signer_failed" // 503
	StoreFailed  Code = "store_failed"  // 503
	ReportFailed Code = "report_failed" // 503
	Panicked     Code = "panicked"      // 500: a part of the host did
)

// An Event is one step of one enrollment. It never has a token or a key in it.
type Event struct {
	Time time.Time
	Step Step
	// Ticket is the ID of the ticket, once it is known.
	Ticket string
	// Grant is the ID of the grant, once it is known.
	Grant string
	// RequestID is that of the response, and RemoteAddr the far end of the request's
	// connection. Both are "" for Invited.
	RequestID, RemoteAddr string
	// Pin is that of the certificate, for Issued and Bound.
	Pin string
	// Serial is that of the certificate in hexadecimal digits, for Issued and Bound.
	Serial string
	// Code and Err say why, for Refused.
	Code Code
	Err  error
}

// A Report gets every step as it is taken, before the next one. An error stops the
// enrollment: the peer gets 503, and what has been done stays done. It must not wait
// for long: the context ends with Config.Timeout, and for Refused after 2 seconds, also if
// the client has gone. That of Invited is the caller's. Calls run concurrently.
type Report func(ctx context.Context, e Event) error
