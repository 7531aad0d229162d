package scope

import "errors"

// Decision is the outcome of an evaluation: deny, none (an allowed read that no
// row can match) or some, with the filter to read by. The zero Decision denies.
//
// A Decision is immutable and may be used by several goroutines.
type Decision struct {
	trace Trace
	teams []string // of the filter, ascending; only in rowSome
}

var errUndecided = errors.New("nothing was decided")

// Switch calls exactly one of the three functions. It is the only way to the
// Filter, so that no caller can read by a filter without having said what
// happens on a denial. It panics if any of the three is nil, whatever the
// decision is: a branch that is seldom taken is missing from the first call on.
func (d Decision) Switch(deny func(*Denial), none func(), some func(Filter)) {
	if deny == nil || none == nil || some == nil {
		panic("scope: Decision.Switch needs all three functions")
	}
	switch d.trace.row {
	case rowSome:
		some(d.filter())
	case rowNone:
		none()
	default:
		deny(d.denial())
	}
}

// Deny returns d turned into a denial as by native access, for a host that
// wraps an Evaluator and has a reason of its own to refuse. The reason is for the
// host's logs. A denial stays what it is.
func (d Decision) Deny(reason error) Decision {
	switch d.trace.row {
	case rowUndecided, rowNone, rowSome:
		d.teams = nil
		return d.deny(rowDenied, reason)
	}
	return d
}

// Trace returns how the decision came about, for the host's logs only.
func (d Decision) Trace() Trace { return d.trace }

func (d Decision) filter() Filter {
	return Filter{
		Resource: d.trace.resource,
		Subject:  d.trace.subject,
		Personal: d.trace.personal,
		Teams:    d.teams,
		Limit:    d.trace.limit,
	}
}

func (d Decision) denial() *Denial {
	err := d.trace.err
	if d.trace.row == rowUndecided {
		err = errUndecided
	}
	return &Denial{Code: d.trace.deniedCode(), Stage: d.trace.row.stage(), Err: err}
}
