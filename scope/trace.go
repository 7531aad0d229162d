package scope

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// Trace tells how a Decision came about: which stages the request passed, where
// it was decided, and the counts and limits that mattered. It names the grant,
// the subject and the host's reasons, and is for the host's logs only.
type Trace struct {
	row  row
	code Code
	err  error

	grant, peer, subject, resource string

	asked Limit
	cap   int // of the scope; 0 before the row cap
	limit int // after clamping

	native      Access // without its Teams, which may be huge
	nativeTeams int
	personal    bool // after the intersection
	teams       int  // after the intersection
}

// String describes the trace in one line.
func (t Trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "grant %q, peer %q, subject %q, resource %q:", t.grant, t.peer, t.subject, t.shownResource())
	for _, stage := range t.row.passed() {
		fmt.Fprintf(&b, " %s%s,", stage, t.detail(stage))
	}
	switch t.row {
	case rowSome:
		fmt.Fprintf(&b, " %s: some (%s)", StageIntersect, describe(t.personal, t.teams))
	case rowNone:
		fmt.Fprintf(&b, " %s: none", StageIntersect)
	default:
		fmt.Fprintf(&b, " denied at %s: %s", t.row.stage(), t.deniedCode())
		if t.err != nil {
			fmt.Fprintf(&b, ": %v", t.err)
		}
	}
	return b.String()
}

// detail returns what there is to say about a stage that was passed.
func (t Trace) detail(stage Stage) string {
	switch stage {
	case StageRowCap:
		return fmt.Sprintf(" (limit %v, cap %d: %d rows)", t.asked, t.cap, t.limit)
	case StageNativeRBAC:
		return " (" + describe(t.native.Personal, t.nativeTeams) + ")"
	}
	return ""
}

func describe(personal bool, teams int) string {
	if personal {
		return fmt.Sprintf("personal rows, teams %d", teams)
	}
	return fmt.Sprintf("no personal rows, teams %d", teams)
}

// LogValue implements slog.LogValuer with a group of the same facts, but for who
// asked for what: that stands in the line of the log which the group is part of.
func (t Trace) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("outcome", t.outcome()),
		slog.String("stage", string(t.row.stage())),
		slog.Any("passed", t.row.passed()),
	}
	if code := t.deniedCode(); code != "" {
		attrs = append(attrs, slog.String("code", string(code)))
	}
	if t.err != nil {
		attrs = append(attrs, slog.String("error", bounded(t.err.Error())))
	}
	if t.limit > 0 {
		attrs = append(attrs,
			slog.String("asked", t.asked.String()),
			slog.Int("cap", t.cap),
			slog.Int("limit", t.limit))
	}
	if t.row >= rowDenied {
		attrs = append(attrs, slog.Group("native",
			slog.Bool("allowed", t.native.Allowed),
			slog.Bool("personal", t.native.Personal),
			slog.Int("teams", t.nativeTeams),
			slog.String("reason", bounded(t.native.Reason))))
	}
	if t.row >= rowNone {
		attrs = append(attrs, slog.Bool("personal", t.personal), slog.Int("teams", t.teams))
	}
	return slog.GroupValue(attrs...)
}

// maxLogged is how many bytes of a host's error a log gets: it may hold a stack.
const maxLogged = 1024

func bounded(text string) string {
	if len(text) <= maxLogged {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogged], "") + "…"
}

func (t Trace) outcome() string {
	switch t.row {
	case rowSome:
		return "some"
	case rowNone:
		return "none"
	}
	return "deny"
}

// deniedCode returns the code of a denial, or "".
func (t Trace) deniedCode() Code {
	if t.row == rowCheck {
		return t.code
	}
	return rows[t.row].code
}

// shownResource cuts what a peer may have written at any length.
func (t Trace) shownResource() string { return strictjson.Shorten(t.resource) }
