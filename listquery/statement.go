package listquery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A statement is finished SQL and, for each of its arguments, where the value comes
// from. It is built once, when its resource is defined.
type statement struct {
	sql     string
	slots   []slot
	dialect Dialect
	saysWay bool // in the first column of each row
	strays  bool // may come to its bound before the page is full
}

// A slot stands in squirrel's list of arguments for a value that a request brings.
type slot struct {
	kind  slotKind
	index int // of the position, for positionSlot
	value any // for constantSlot
}

type slotKind uint8

const (
	constantSlot slotKind = iota
	subjectSlot
	teamsSlot
	teamUUIDsSlot
	teamBucketsSlot // as one text, see teamBuckets
	positionSlot
	limitSlot
)

// newStatement renders query and keeps the order in which squirrel wants arguments.
func newStatement(d Dialect, query squirrel.Sqlizer) (*statement, error) {
	text, args, err := query.ToSql()
	if err != nil {
		return nil, err
	}
	if n := squirrel.Placeholders(len(args)); countPlaceholders(text) != len(args) {
		return nil, fmt.Errorf("statement has %d placeholders for the arguments %s: write a question mark in a literal as ??", countPlaceholders(text), n)
	}
	slots := make([]slot, len(args))
	for i, arg := range args {
		if s, ok := arg.(slot); ok {
			slots[i] = s
			continue
		}
		slots[i] = slot{kind: constantSlot, value: arg}
	}
	if d == Postgres {
		text, slots = numbered(text, slots)
	} else {
		text = strings.ReplaceAll(text, "??", "?") // squirrel's escape for a plain one
	}
	return &statement{sql: text, slots: slots, dialect: d}, nil
}

// numbered writes the placeholders of Postgres. A slot that stands several times has
// one number, so that the teams of a filter are sent once. A subject has a number for
// each time: its type is that of the column, and columns differ.
func numbered(text string, slots []slot) (string, []slot) {
	var b strings.Builder
	var distinct []slot
	for next := 0; text != ""; {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		text = after
		switch {
		case !found:
		case strings.HasPrefix(text, "?"): // squirrel's escape
			b.WriteByte('?')
			text = text[1:]
		default:
			s := slots[next]
			next++
			number := -1
			if s.shared() {
				number = slices.IndexFunc(distinct, func(o slot) bool { return o.kind == s.kind && o.index == s.index })
			}
			if number < 0 {
				distinct = append(distinct, s)
				number = len(distinct) - 1
			}
			fmt.Fprintf(&b, "$%d", number+1)
		}
	}
	return b.String(), distinct
}

// shared reports whether the slot means the same value of the same type wherever it
// stands.
func (s slot) shared() bool { return s.kind != constantSlot && s.kind != subjectSlot }

// countPlaceholders counts question marks, less the ones that squirrel reads as an
// escape.
func countPlaceholders(sql string) int {
	count := 0
	for i := 0; i < len(sql); i++ {
		if sql[i] != '?' {
			continue
		}
		if i+1 < len(sql) && sql[i+1] == '?' {
			i++
			continue
		}
		count++
	}
	return count
}

// arguments fills the slots for one request. The order columns of after are its last
// ones: what stands before them names the block and is part of the statement.
func (st *statement) arguments(f scope.Filter, after cursor.Position, rows int) []any {
	var subject, teams, teamUUIDs, buckets any
	args := make([]any, len(st.slots))
	for i, s := range st.slots {
		switch s.kind {
		case subjectSlot:
			if subject == nil {
				subject = f.Subject
			}
			args[i] = subject
		case teamsSlot:
			if teams == nil {
				teams = st.dialect.array(without(f.Teams, isEmpty))
			}
			args[i] = teams
		case teamUUIDsSlot:
			if teamUUIDs == nil {
				teamUUIDs = st.dialect.array(without(f.Teams, isNoUUID))
			}
			args[i] = teamUUIDs
		case teamBucketsSlot:
			if buckets == nil {
				buckets = teamBuckets(f.Teams)
			}
			args[i] = buckets
		case positionSlot:
			args[i] = st.dialect.position(after[s.index])
		case limitSlot:
			args[i] = int64(rows)
		default:
			args[i] = s.value
		}
	}
	return args
}

// without returns the ids but for those that match no row.
func without(ids []string, matchless func(id string) bool) []string {
	if !slices.ContainsFunc(ids, matchless) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), matchless)
}

// isEmpty: an empty id stands for no team, and not for a column that is empty.
func isEmpty(id string) bool { return id == "" }

// isNoUUID: databases write uuids in lower case.
func isNoUUID(id string) bool {
	_, err := cursor.ParseUUID(id)
	return err != nil || hasUpper(id)
}

// hasUpper reports whether a uuid has a digit in upper case. Of its characters only those
// lack this bit; to look at each takes much longer, and a filter may have thousands of
// teams.
func hasUpper(uuid string) bool {
	bits := byte(0x20)
	for i := range len(uuid) {
		bits &= uuid[i]
	}
	return bits == 0
}
