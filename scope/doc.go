// Package scope decides which rows a federation grant lets a peer read: it
// intersects what the grant allows with what the host's own access rules
// (native RBAC) allow, and answers with a filter or a denial.
//
// A grant carries a scope, stored as JSON. [Parse] reads it against the host's
// [Registry] of resource names and refuses whatever could widen a grant
// unnoticed. [Rules] walks one [Request] through the decision table, in this
// order, and the first match wins:
//
//	stage               condition                             code
//	scope_parse         the stored scope or grant is invalid  invalid_scope
//	resource_allowlist  the host knows no such resource       invalid_resource
//	resource_exclusion  the scope excludes the resource       resource_excluded
//	resource_allowlist  the scope does not grant it           resource_not_granted
//	row_cap             the limit is no integer of 1 or more  invalid_limit
//	cursor              Request.Check refuses                 the code of Check
//	native_rbac         error, deadline, panic, bad answer    native_rbac_unavailable
//	native_rbac         denied                                native_rbac_denied
//	intersect           nothing is left                       (none)
//	intersect           otherwise                             (some)
//
// Everything here fails closed. The zero [Scope], [Access], [Filter] and
// [Decision] deny, and an error, a panic or a timeout of the host's
// [NativeRBAC] is a denial.
//
// Two caveats. NativeRBAC is called on the caller's goroutine, so it has to
// honour its context: Evaluate waits for one that does not, and only then
// refuses its late answer. And a [Denial] and a [Trace] name the grant, its
// subject and the host's reasons: they are for the host's logs, never for the
// peer.
package scope
