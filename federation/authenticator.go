package federation

import (
	"errors"
	"net/http"

	"github.com/mosaicstack/fedkit/scope"
)

// An Authenticator turns the credential of a request (a verified client
// certificate, a bearer token) into the active grant that it stands for.
//
// The handler calls it twice for a page: before anything is evaluated, and again
// after the page has been computed, so that a grant revoked in between ends in
// 403 and not in data. Both calls must therefore
// read the state of the grant afresh; an answer cached per connection or per
// credential delays revocation by the age of the cache. A credential that is good
// for one use must be remembered for its request, or the second call refuses it.
//
// The request's body has been consumed and reads as empty. Its context ends at
// the handler's deadline. Authenticate must not keep or change the request.
// Calls run concurrently.
//
// The grant counts only when the error is nil. An error that matches
// [ErrNoCredential] is 401; one that matches one of the ErrGrant errors is 403;
// any other error and a panic are 503, so a database that is down does not tell a
// peer that its grant is gone. With a 401 or 403 the connection ends if the error matches
// [ErrCloseConnection], too. A stored scope that does not parse is no error
// here: return the grant with the zero scope that [scope.Parse] gave beside its
// error: it is refused as invalid_scope, and logged as an alert.
type Authenticator interface {
	Authenticate(r *http.Request) (scope.Grant, error)
}

// ErrNoCredential says that the request proved nothing about who sent it: no
// certificate or token, or one that does not verify. The peer gets 401.
var ErrNoCredential = errors.New("federation: no verified credential")

// ErrCloseConnection says that the credential is the connection's, as a client's certificate
// is: who has got another one meanwhile can show it on a new connection only.
var ErrCloseConnection = errors.New("federation: the connection is closed")

// The credential is genuine, but no active grant stands behind it. The peer gets
// 403 for each of them, with the same bytes: which of the five it was is for the
// host's log alone.
var (
	// ErrGrantUnknown: no grant belongs to this credential.
	ErrGrantUnknown = errors.New("federation: grant unknown")
	// ErrGrantPending: the grant has not been accepted yet.
	ErrGrantPending = errors.New("federation: grant pending")
	// ErrGrantRevoked: the grant was taken back.
	ErrGrantRevoked = errors.New("federation: grant revoked")
	// ErrGrantExpired: the grant's time has passed.
	ErrGrantExpired = errors.New("federation: grant expired")
	// ErrGrantMismatch: the credential is not the one pinned in the grant, or
	// names another subject.
	ErrGrantMismatch = errors.New("federation: credential does not match the grant")
)
