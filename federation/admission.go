package federation

import (
	"context"
	"errors"
	"net/http"

	"github.com/mosaicstack/fedkit/scope"
)

// credentialCodes says which internal code an Authenticator's error has; the first
// match wins.
var credentialCodes = []struct {
	err  error
	code scope.Code
}{
	{ErrNoCredential, codeNoCredential},
	{ErrGrantUnknown, codeGrantUnknown},
	{ErrGrantPending, codeGrantPending},
	{ErrGrantRevoked, codeGrantRevoked},
	{ErrGrantExpired, codeGrantExpired},
	{ErrGrantMismatch, codeGrantMismatch},
}

// admit finds the grant of the request: rows 2 and 3 of the decision table, with
// the address limit of row 4 before them and the grant limit behind them.
func (h *handler) admit(x *exchange) *refusal {
	if refused := limited(h.Addresses, AddressKey(x.request)); refused != nil {
		return refused
	}
	// The body has been read, or does not matter: an Authenticator must not be
	// able to wait for it.
	x.request.Body = http.NoBody
	grant, refused := h.authenticate(x, PartAuthenticate)
	if refused != nil {
		return refused
	}
	x.grant = grant
	if refused := limited(h.Grants, grant.ID); refused != nil {
		return refused
	}
	return h.enter(x)
}

// authenticate asks the host for the grant behind the request. A grant that comes
// after the deadline is none.
func (h *handler) authenticate(x *exchange, part string) (scope.Grant, *refusal) {
	grant, err := call(x.ctx, h, part, "authenticator", func(ctx context.Context) (scope.Grant, error) {
		if h.Observer == nil {
			return h.Authenticator.Authenticate(x.request)
		}
		return h.Authenticator.Authenticate(x.request.WithContext(ctx))
	})
	if err != nil {
		return scope.Grant{}, x.refuseCredential(err)
	}
	if refused := x.overdue(stageAuthn); refused != nil {
		return scope.Grant{}, refused
	}
	return grant, nil
}

// refuseCredential turns an Authenticator's error into a refusal.
func (x *exchange) refuseCredential(err error) *refusal {
	for _, known := range credentialCodes {
		if errors.Is(err, known.err) {
			return &refusal{code: known.code, err: err, closes: errors.Is(err, ErrCloseConnection)}
		}
	}
	if errors.Is(x.over(), context.Canceled) {
		return &refusal{code: codeClientGone, stage: stageAuthn, err: err}
	}
	return &refusal{code: codeAuthnUnavailable, err: err}
}

// readmit authenticates the same request again after its page has been computed:
// row 16. The page may only leave if the same grant still stands behind it.
func (h *handler) readmit(x *exchange) *refusal {
	again, refused := h.authenticate(x, PartReauthenticate)
	if refused != nil {
		if refused.code == codeNoCredential {
			refused.code = codeGrantChanged // it was one a moment ago
		}
		refused.stage = stageAfter
		return refused
	}
	if !sameGrant(again, x.grant) {
		return &refusal{code: codeGrantChanged}
	}
	return nil
}

// sameGrant tells if a decision for grant a is one for grant b.
func sameGrant(a, b scope.Grant) bool {
	return a.ID == b.ID && a.Subject == b.Subject && a.Revision == b.Revision &&
		a.Scope.Hash() == b.Scope.Hash()
}
