package listquery

import (
	"context"
	"slices"
	"strings"
)

// A catalog is what a database says of its tables.
type catalog interface {
	// table describes the table, or returns nil if there is none. The conditions are
	// SQL on its columns.
	table(ctx context.Context, name string) (*tableInfo, error)

	// normal returns a condition on the rows of a table in the words in which the
	// catalog has the conditions of partial indexes.
	normal(ctx context.Context, table, condition string) (string, error)
}

// A tableInfo describes a table.
type tableInfo struct {
	columns  []string
	nullable []string // the columns among them that may be null
	untexted []string // the columns among them that do not hold any text
	indexes  []indexInfo
	view     bool // and has no indexes of its own
}

// An indexInfo describes an index that lookups and orders can use.
type indexInfo struct {
	name      string
	columns   []indexColumn
	condition string // of a partial index, in the catalog's words
	invalid   bool
}

// An indexColumn is a column of an index; an expression has no name.
type indexColumn struct {
	name       string
	descending bool
	// unordered is a column whose values the index does not sort as ORDER BY does.
	unordered bool
}

// serves reports whether the index is one that is needed. normal are the conditions of
// the need in the catalog's words.
func (n need) serves(i indexInfo, normal []string) bool {
	if i.condition != "" && !implied(i.condition, normal) {
		return false
	}
	columns, found := i.columns, 0
	for len(columns) > 0 && found < len(n.equal) {
		switch {
		case slices.Contains(n.equal, columns[0].name):
			found++
		case !slices.Contains(n.also, columns[0].name):
			return false
		}
		columns = columns[1:]
	}
	for len(columns) > 0 && len(n.order) > 0 && slices.Contains(n.also, columns[0].name) && columns[0].name != n.order[0] {
		columns = columns[1:]
	}
	return found == len(n.equal) && inOrder(columns, n.order)
}

// inOrder reports whether the columns begin with those of an order, which goes one way
// in all its columns: the index is then read forwards or backwards.
func inOrder(columns []indexColumn, order []string) bool {
	if len(columns) < len(order) {
		return false
	}
	for i, name := range order {
		c := columns[i]
		if c.name != name || c.unordered || c.descending != columns[0].descending {
			return false
		}
	}
	return true
}

// implied reports whether a condition is one of those given, or several of them joined
// by AND in their order.
func implied(condition string, given []string) bool {
	condition = unwrapped(condition)
	for chosen := 1; chosen < 1<<len(given); chosen++ {
		var parts []string
		for i, part := range given {
			if chosen&(1<<i) != 0 {
				parts = append(parts, part)
			}
		}
		if len(parts) == 1 && condition == unwrapped(parts[0]) || condition == unwrapped(strings.Join(parts, " AND ")) {
			return true
		}
	}
	return false
}

// unwrapped is a condition without the parentheses around the whole of it.
func unwrapped(condition string) string {
	condition = strings.TrimSpace(condition)
	for strings.HasPrefix(condition, "(") && closes(condition) == len(condition)-1 {
		condition = strings.TrimSpace(condition[1 : len(condition)-1])
	}
	return condition
}

// closes is where the parenthesis closes that a condition begins with.
func closes(condition string) int {
	depth, quoted := 0, false
	for i := range len(condition) {
		switch c := condition[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
