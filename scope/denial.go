package scope

// Code is the internal code of a denial, as the host's logs and audit name it.
// It is not a code of the wire: several of them look alike to a peer on purpose.
type Code string

// The codes of the stages that this package owns, in the order of the table.
const (
	CodeInvalidScope       Code = "invalid_scope"
	CodeInvalidResource    Code = "invalid_resource"
	CodeResourceExcluded   Code = "resource_excluded"
	CodeResourceNotGranted Code = "resource_not_granted"
	CodeInvalidLimit       Code = "invalid_limit"
	CodeNativeUnavailable  Code = "native_rbac_unavailable"
	CodeNativeDenied       Code = "native_rbac_denied"

	// CodeUndecided is the code of the zero Decision, which denies because
	// nothing was decided, and of a Request.Check that refused without a code.
	CodeUndecided Code = "undecided"
)

// Stage is the part of the evaluation that a decision fell in.
type Stage string

// The stages that this package owns.
const (
	StageScopeParse        Stage = "scope_parse"
	StageResourceAllowlist Stage = "resource_allowlist"
	StageResourceExclusion Stage = "resource_exclusion"
	StageRowCap            Stage = "row_cap"
	StageCursor            Stage = "cursor"
	StageNativeRBAC        Stage = "native_rbac"
	StageIntersect         Stage = "intersect"

	// StageUndecided is the stage of the zero Decision.
	StageUndecided Stage = "undecided"
)

// Denial says why a request was refused. It is for the host: its code, stage
// and cause tell a peer more than a peer may know.
type Denial struct {
	Code  Code
	Stage Stage
	// Err is the cause. For CodeNativeUnavailable it wraps the error of
	// NativeRBAC, or context.DeadlineExceeded, or the error it panicked with.
	Err error
}

// Error describes the denial for the host's logs.
func (d *Denial) Error() string {
	text := "scope: denied at " + string(d.Stage) + ": " + string(d.Code)
	if d.Err != nil {
		text += ": " + d.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (d *Denial) Unwrap() error { return d.Err }
