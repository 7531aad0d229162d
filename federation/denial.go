package federation

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// The error codes of the wire contract.
const (
	wireUnauthorized   = "unauthorized"
	wireForbidden      = "forbidden"
	wireScopeViolation = "scope_violation"
	wireInvalidRequest = "invalid_request"
	wireNotFound       = "not_found"
	wireRateLimited    = "rate_limited"
	wireInternalError  = "internal_error"
	wireUnavailable    = "unavailable"
)

// The internal codes of this package: they go to the host's log and, unlike those
// of package scope, belong to stages before and after the evaluation.
const (
	codeBadPath      scope.Code = "bad_path"
	codeBadMethod    scope.Code = "bad_method"
	codeBadType      scope.Code = "bad_type"
	codeBodyTooLarge scope.Code = "bad_size"
	codeBadBody      scope.Code = "bad_body"

	codeNoCredential     scope.Code = "no_credential"
	codeAuthnUnavailable scope.Code = "authn_unavailable"

	codeGrantUnknown  scope.Code = "grant_unknown"
	codeGrantPending  scope.Code = "grant_pending"
	codeGrantRevoked  scope.Code = "grant_revoked"
	codeGrantExpired  scope.Code = "grant_expired"
	codeGrantMismatch scope.Code = "grant_mismatch"
	codeGrantChanged  scope.Code = "grant_changed"

	codeRateLimited   scope.Code = "rate_limited"
	codeTooManyAtOnce scope.Code = "too_many_at_once"
	codeLimiterFailed scope.Code = "limiter_failed"

	codeCursorNotText    scope.Code = "cursor_not_text"
	codeCursorMalformed  scope.Code = "cursor_malformed"
	codeCursorTooLong    scope.Code = "cursor_too_long"
	codeCursorVersion    scope.Code = "cursor_version"
	codeCursorUnknownKey scope.Code = "cursor_unknown_key"
	codeCursorForged     scope.Code = "cursor_forged"
	codeCursorMismatch   scope.Code = "cursor_mismatch"
	codeCursorExpired    scope.Code = "cursor_expired"

	codeEvaluatorFailed  scope.Code = "evaluator_failed"
	codeNotListed        scope.Code = "resource_not_listed"
	codeNothingLeft      scope.Code = "nothing_left"
	codeItemNotFound     scope.Code = "item_not_found"
	codeQueryFailed      scope.Code = "query_failed"
	codeQueryUnavailable scope.Code = "query_unavailable"
	codeDeadline         scope.Code = "deadline_exceeded"
	codeClientGone       scope.Code = "client_gone"
	codeHandlerFailed    scope.Code = "handler_failed"
	codeAuditFailed      scope.Code = "audit_failed"

	codeHopLimit         scope.Code = "hop_limit"
	codeSourceUnknown    scope.Code = "source_unknown"
	codePeersUnavailable scope.Code = "peers_unavailable"
	codeSourcesFailed    scope.Code = "sources_failed"
)

// The stages that this package decides itself; the others are those of package
// scope.
const (
	stageTransport scope.Stage = "transport"
	stageAuthn     scope.Stage = "authn"
	stageGrant     scope.Stage = "grant"
	stageRate      scope.Stage = "rate"
	stageEvaluate  scope.Stage = "evaluate"
	stageAfter     scope.Stage = "after"
	stageQuery     scope.Stage = "query"
	stageHandler   scope.Stage = "handler"
	stageAudit     scope.Stage = "audit"
	stageSources   scope.Stage = "sources"
)

// A ruling is what one internal code is on the wire. The message is constant, so
// equal rulings are equal bytes.
type ruling struct {
	row     int // of the table in docs/federation.md; 0: no row, a part failed the handler
	code    scope.Code
	stage   scope.Stage
	status  int
	wire    string
	message string
}

// What several rulings say to the peer. Those that share a message here must not
// be told apart.
const (
	saysForbidden   = "access denied"
	saysNotAllowed  = "this resource may not be read"
	saysTooMany     = "too many requests, try again later"
	saysNoItem      = "no such item"
	saysBadCursor   = "cursor must be a nextCursor that this list returned, and not have expired"
	saysFailed      = "internal error"
	saysUnavailable = "temporarily unavailable, try again later"
)

func saysTooLarge(most int) string {
	return "the body must not be longer than " + strconv.Itoa(most) + " bytes"
}

// decisionTable has a ruling for every way in which a request can end without
// data, in the order in which they are decided. Row 1 replaces its message by what
// is wrong with the body, and where; nothing else ever does.
var decisionTable = []ruling{
	{1, codeBadPath, stageTransport, http.StatusNotFound, wireNotFound, "no such path"},
	{1, codeBadMethod, stageTransport, http.StatusMethodNotAllowed, wireInvalidRequest, "method not allowed on this path"},
	{1, codeBadType, stageTransport, http.StatusUnsupportedMediaType, wireInvalidRequest, "the body must be application/json in UTF-8"},
	{1, codeBodyTooLarge, stageTransport, http.StatusRequestEntityTooLarge, wireInvalidRequest, saysTooLarge(maxBody)},
	{1, codeBadBody, stageTransport, http.StatusBadRequest, wireInvalidRequest, "the body could not be read"},

	{4, codeRateLimited, stageRate, http.StatusTooManyRequests, wireRateLimited, saysTooMany},
	{4, codeTooManyAtOnce, stageRate, http.StatusTooManyRequests, wireRateLimited, saysTooMany},
	{0, codeLimiterFailed, stageRate, http.StatusInternalServerError, wireInternalError, saysFailed},

	{2, codeNoCredential, stageAuthn, http.StatusUnauthorized, wireUnauthorized, "no verified credential"},
	{0, codeAuthnUnavailable, stageAuthn, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},

	{3, codeGrantUnknown, stageGrant, http.StatusForbidden, wireForbidden, saysForbidden},
	{3, codeGrantPending, stageGrant, http.StatusForbidden, wireForbidden, saysForbidden},
	{3, codeGrantRevoked, stageGrant, http.StatusForbidden, wireForbidden, saysForbidden},
	{3, codeGrantExpired, stageGrant, http.StatusForbidden, wireForbidden, saysForbidden},
	{3, codeGrantMismatch, stageGrant, http.StatusForbidden, wireForbidden, saysForbidden},

	{5, scope.CodeInvalidScope, scope.StageScopeParse, http.StatusForbidden, wireScopeViolation, saysNotAllowed},
	{6, scope.CodeInvalidResource, scope.StageResourceAllowlist, http.StatusBadRequest, wireInvalidRequest, "no such resource"},
	{7, scope.CodeResourceExcluded, scope.StageResourceExclusion, http.StatusForbidden, wireScopeViolation, saysNotAllowed},
	{8, scope.CodeResourceNotGranted, scope.StageResourceAllowlist, http.StatusForbidden, wireScopeViolation, saysNotAllowed},
	{9, scope.CodeInvalidLimit, scope.StageRowCap, http.StatusBadRequest, wireInvalidRequest, "limit must be an integer of 1 or more"},

	{11, codeCursorNotText, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorMalformed, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorTooLong, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorVersion, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorUnknownKey, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorForged, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorMismatch, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},
	{11, codeCursorExpired, scope.StageCursor, http.StatusBadRequest, wireInvalidRequest, saysBadCursor},

	{12, scope.CodeNativeUnavailable, scope.StageNativeRBAC, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{13, scope.CodeNativeDenied, scope.StageNativeRBAC, http.StatusForbidden, wireScopeViolation, saysNotAllowed},
	{0, scope.CodeUndecided, scope.StageUndecided, http.StatusInternalServerError, wireInternalError, saysFailed},
	{0, codeEvaluatorFailed, stageEvaluate, http.StatusInternalServerError, wireInternalError, saysFailed},

	{14, codeNothingLeft, scope.StageIntersect, http.StatusNotFound, wireNotFound, saysNoItem}, // a get; a list is empty
	{15, codeItemNotFound, stageQuery, http.StatusNotFound, wireNotFound, saysNoItem},

	{16, codeGrantChanged, stageAfter, http.StatusForbidden, wireForbidden, saysForbidden},

	{17, codeNotListed, stageQuery, http.StatusInternalServerError, wireInternalError, saysFailed},
	{17, codeQueryFailed, stageQuery, http.StatusInternalServerError, wireInternalError, saysFailed},
	{17, codeQueryUnavailable, stageQuery, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeDeadline, stageQuery, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeClientGone, stageQuery, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeAuditFailed, stageAudit, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeHopLimit, stageSources, http.StatusBadRequest, wireInvalidRequest, "a request of another gateway may ask for local rows only"},
	{0, codeSourceUnknown, stageSources, http.StatusBadRequest, wireInvalidRequest, "no such source of this resource"},
	{0, codePeersUnavailable, stageSources, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeSourcesFailed, stageSources, http.StatusServiceUnavailable, wireUnavailable, saysUnavailable},
	{0, codeHandlerFailed, stageHandler, http.StatusInternalServerError, wireInternalError, saysFailed},
}

// rulings finds a code in the decision table.
var rulings = func() map[scope.Code]ruling {
	byCode := make(map[scope.Code]ruling, len(decisionTable))
	for _, r := range decisionTable {
		byCode[r.code] = r
	}
	return byCode
}()

// A refusal is a request that ends without data, and why. Its code decides what the peer
// is told, with what the code needs beside; stage and err are for the host's log.
type refusal struct {
	code       scope.Code
	stage      scope.Stage // empty: that of the ruling
	err        error
	message    string         // row 1: what is wrong with the body; else empty
	allow      string         // the method that a path knows, for bad_method
	retryAfter time.Duration  // for what is 429
	sources    []SourceStatus // for sources_failed
	closes     bool           // the connection
}

// ruling returns what the refusal is on the wire. A code that the table does not
// know (an Evaluator's own) is a failure of the handler and never an allow.
func (r *refusal) ruling() ruling {
	ruled, known := rulings[r.code]
	if !known {
		ruled = rulings[scope.CodeUndecided]
		ruled.code = r.code
	}
	if r.stage != "" {
		ruled.stage = r.stage
	}
	if r.message != "" {
		ruled.message = r.message
	}
	return ruled
}

// isAnswer tells if the refusal says that there is no such item, as opposed to nothing
// about it.
func (r *refusal) isAnswer() bool { return r.code == codeNothingLeft || r.code == codeItemNotFound }

// denied turns the evaluator's denial into a refusal.
func denied(d *scope.Denial) *refusal {
	return &refusal{code: d.Code, stage: d.Stage, err: d.Err}
}
