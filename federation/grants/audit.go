package grants

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// defaultAuditTimeout is that of the handler of package federation.
const defaultAuditTimeout = 2 * time.Second

// The changes, as they stand in the Verb of a record.
const (
	verbCreate   = "create"
	verbActivate = "activate"
	verbRotate   = "rotate"
	verbUnpin    = "unpin"
	verbExpire   = "expire"
	verbRevoke   = "revoke"
)

// The codes of a record. Those of a refusal are beside their errors.
const (
	codeIntended  = "intended"
	codeOK        = "ok"
	codeUnchanged = "unchanged"
	codeFailed    = "store_failed"
)

// auditStage tells a record of a change from those of requests.
const auditStage = "registrar"

// refusals says which code an error has.
var refusals = []struct {
	err  error
	code string
}{
	{ErrInvalid, "grant_invalid"},
	{ErrStatus, "grant_status"},
	{ErrExists, "grant_exists"},
	{ErrConflict, "grant_conflict"},
	{ErrNotFound, "grant_unknown"},
}

// An entry is one call of a Registrar, on its way into the audit.
type entry struct {
	*Registrar
	ctx     context.Context
	started time.Time // with a monotonic clock, which the host's need not have
	widens  bool      // the change lets somebody in who was not
	record  federation.Record
}

// enter begins the entry of a call for a grant, of which no more is known than what the
// caller says.
func (r *Registrar) enter(ctx context.Context, verb, id string, widens bool) *entry {
	e := &entry{Registrar: r, ctx: ctx, started: time.Now(), widens: widens}
	e.record = federation.Record{Time: exact(r.cfg.Now()), Verb: verb, Stage: auditStage, Grant: printable(id)}
	if r.cfg.Auditor != nil && r.cfg.Actor != nil {
		e.record.Actor = printable(r.cfg.Actor(ctx))
	}
	return e
}

// about says which grant it is, and which revision.
func (e *entry) about(g Grant) {
	e.record.Grant, e.record.Peer, e.record.Subject = printable(g.ID), printable(g.Peer), printable(g.Subject)
	e.record.Revision = g.Revision
}

// intend comes before a change is stored. One that lets somebody in has its record by
// then, or is not made. One that shuts somebody out does not wait for the audit: a log
// that is full must not keep a grant open.
func (e *entry) intend(g Grant) error {
	if !e.widens {
		return nil
	}
	e.about(g)
	return e.keep(codeIntended)
}

// leave keeps how the call ended, and returns what the call returns.
func (e *entry) leave(g Grant, err error) (Grant, error) {
	if errors.Is(err, ErrUnaudited) {
		return Grant{}, err // the intention was not kept, and nothing stored
	}
	code := codeOf(err)
	switch {
	case err != nil:
		g = Grant{}
	case e.record.Code == codeUnchanged:
		code = codeUnchanged
	default:
		e.about(g)
	}
	if unaudited := e.keep(code); unaudited != nil {
		return g, errors.Join(err, unaudited)
	}
	return g, err
}

// keep hands the record over.
func (e *entry) keep(code string) error {
	if e.cfg.Auditor == nil {
		return nil
	}
	e.record.Code, e.record.Latency = code, time.Since(e.started)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), e.cfg.AuditTimeout)
	defer cancel()
	err := audit(ctx, e.cfg.Auditor, e.record)
	if err == nil {
		err = ctx.Err() // kept too late is not kept
	}
	if err != nil {
		return fmt.Errorf("%w: %s of %q, %s: %w", ErrUnaudited, e.record.Verb, e.record.Grant, code, err)
	}
	return nil
}

// audit makes an error of a panic: a revocation that is stored must not look like one
// that is not.
func audit(ctx context.Context, to federation.Auditor, r federation.Record) (err error) {
	returned := false
	defer func() {
		// A flag instead of a look at what recover returns: that is nil for
		// panic(nil) under GODEBUG=panicnil=1.
		if !returned {
			err = fmt.Errorf("the auditor panicked: %v", recover())
		}
	}()
	err = to.Audit(ctx, r)
	returned = true
	return err
}

// codeOf is the code of how a call ended.
func codeOf(err error) string {
	for _, refusal := range refusals {
		if errors.Is(err, refusal.err) {
			return refusal.code
		}
	}
	if err != nil {
		return codeFailed
	}
	return codeOK
}

// printable is a name as it is, and any other text as Go would quote it, so that every
// database takes it.
func printable(text string) string {
	if text == "" || IsName(text) {
		return text
	}
	quoted := strconv.QuoteToASCII(text)
	return quoted[:min(len(quoted), maxName)]
}
