package enroll

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
)

// A visit is one request at a desk. Each step of it is reported before the next one is
// taken.
type visit struct {
	*Desk
	ctx   context.Context
	event Event // what is known so far
}

// A refusal ends a visit.
type refusal struct {
	code Code
	err  error
}

// certificate trades a token and a certificate request for a chain. The token is looked
// at first, so that only who has one makes the desk do work, and used last, so that a
// request that cannot be read does not cost it.
func (v *visit) certificate(token, csr string) ([]*x509.Certificate, *refusal) {
	ticket, refused := v.ticket(token)
	if refused != nil {
		return nil, refused
	}
	key, err := parseRequest(csr)
	if err != nil {
		return nil, &refusal{BadCSR, err}
	}
	grant, refused := v.grant(ticket.Grant)
	if refused != nil {
		return nil, refused
	}
	if refused := v.redeem(ticket); refused != nil {
		return nil, refused
	}
	chain, refused := v.issue(key, grant)
	if refused != nil {
		return nil, refused
	}
	if refused := v.bind(grant.ID, grants.PinOf(chain)); refused != nil {
		return nil, refused
	}
	return chain, nil
}

// ticket finds the ticket of a token. A token that was never made, and one whose secret
// is another, are the same to the peer.
func (v *visit) ticket(token string) (Ticket, *refusal) {
	id, hash, ok := parseToken(token)
	if !ok {
		return Ticket{}, &refusal{TokenUnknown, errors.New("the token is none of this package's")}
	}
	ticket, err := v.cfg.Tickets.Get(v.ctx, id)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Ticket{}, &refusal{StoreFailed, err}
	}
	if !ticket.opensWith(hash) || err != nil { // compared in either case
		return Ticket{}, &refusal{TokenUnknown, err}
	}
	v.event.Ticket, v.event.Grant = ticket.ID, ticket.Grant
	if ticket.gone(v.cfg.Now()) {
		return Ticket{}, &refusal{TokenGone, ErrGone}
	}
	return ticket, nil
}

// grant reads the grant, which must be able to have a certificate.
func (v *visit) grant(id string) (grants.Grant, *refusal) {
	g, err := v.cfg.Grants.Get(v.ctx, id)
	if err == nil {
		err = open(g, v.cfg.Now())
	}
	switch {
	case errors.Is(err, grants.ErrNotFound), errors.Is(err, grants.ErrStatus):
		return grants.Grant{}, &refusal{GrantEnded, err}
	case err != nil:
		return grants.Grant{}, &refusal{StoreFailed, err}
	}
	return g, nil
}

// redeem uses the ticket. Of two visits with one token, one gets past here.
func (v *visit) redeem(ticket Ticket) *refusal {
	err := v.cfg.Tickets.Use(v.ctx, ticket.ID, v.cfg.Now().UTC().Round(0).Truncate(time.Microsecond))
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, ErrUnknown):
		return &refusal{TokenGone, err}
	case err != nil:
		return &refusal{StoreFailed, err}
	}
	return v.report(Redeemed)
}

// issue has the certificate made, and looks at it.
func (v *visit) issue(key crypto.PublicKey, g grants.Grant) ([]*x509.Certificate, *refusal) {
	now := v.cfg.Now()
	asked := Request{
		Key: key, Grant: g, NotBefore: now.Add(-clockSkew), NotAfter: earlier(now.Add(v.cfg.Certificates), g.Expires),
	}
	chain, err := v.cfg.Signer.Sign(v.ctx, asked)
	if err == nil {
		err = asked.check(chain, v.cfg.Identify, now)
	}
	if err != nil {
		return nil, &refusal{SignerFailed, err}
	}
	v.event.Pin, v.event.Serial = grants.PinOf(chain).String(), chain[0].SerialNumber.Text(16)
	return chain, v.report(Issued)
}

// maxTries is how often a grant may be changed by others while a key is bound to it.
const maxTries = 100

// bind makes the grant accept the certificate. It reads the grant again: one that was
// revoked meanwhile stays revoked, and any other change is no reason to refuse.
func (v *visit) bind(id string, pin grants.Pin) *refusal {
	var err error
	for range maxTries {
		g, refused := v.grant(id)
		if refused != nil {
			return refused
		}
		err = nil
		switch {
		case g.Status == grants.Pending:
			_, err = v.cfg.Grants.Activate(v.ctx, id, g.Revision, pin)
		case !slices.Contains(g.Pins[:], pin): // a renewal over the same key changes nothing
			_, err = v.cfg.Grants.Rotate(v.ctx, id, g.Revision, pin)
		}
		switch {
		case err == nil:
			return v.report(Bound)
		case errors.Is(err, grants.ErrUnaudited):
			return &refusal{ReportFailed, err}
		case !errors.Is(err, grants.ErrConflict) || v.ctx.Err() != nil:
			return &refusal{StoreFailed, err}
		}
	}
	return &refusal{StoreFailed, err}
}

// report tells of a step. Who cannot be told does not let it go on.
func (v *visit) report(step Step) *refusal {
	e := v.event
	e.Time, e.Step = v.cfg.Now(), step
	if err := v.cfg.Report(v.ctx, e); err != nil {
		return &refusal{ReportFailed, err}
	}
	return nil
}

// refused tells of the end of a visit. The request has been refused already, so that an
// error of the report changes nothing; and the client, whose context it was, may have
// gone. The answer waits for it all the same, and so not for ever.
func (v *visit) refused(r *refusal) {
	e := v.event
	e.Time, e.Step, e.Code, e.Err = v.cfg.Now(), Refused, r.code, r.err
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), auditTimeout)
	defer cancel()
	_ = v.cfg.Report(ctx, e)
}
