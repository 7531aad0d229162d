package listquery

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/Masterminds/squirrel"
)

// A node is a part of a visibility: a condition on the rows of one table.
type node interface {
	// render writes the condition on the table known as a. It is nil if no row can
	// show to filters of the shape.
	render(a alias, t terms) (squirrel.Sqlizer, error)

	// arms returns the ways in which the rows that show can be found, or nil if there
	// is none but to look at row by row. It is asked only of nodes that render.
	arms(t terms) []arm
}

// terms say how conditions are written. A set is an uncorrelated subquery, which says
// what is meant and which the database may evaluate as a whole. A probe is a look-up
// for the row at hand that it cannot evaluate otherwise.
type terms struct {
	shape
	probes bool
	tried  []trial // parents that the row at hand does not show through
}

// A trial is a look-up that has failed where a condition is asked.
type trial struct {
	parentNode
	child alias
}

// with adds the look-ups of an Any to those that have failed where its other parts are
// asked: a task that does not show through its project does not show through its
// mission's either, if that is the same one.
func (t terms) with(parent parentNode, child alias) terms {
	if t.probes && t.dialect == Postgres {
		t.tried = append(slices.Clone(t.tried), trial{parent, child})
	}
	return t
}

// again are the columns that hold what has been looked up already if they are equal to
// the column of n.
func (t terms) again(n parentNode) ([]string, error) {
	var columns []string
	for _, tried := range t.tried {
		if tried.table != n.table || tried.key != n.key || !reflect.DeepEqual(tried.visible, n.visible) {
			continue
		}
		column, err := quoteColumn(tried.child.String(), tried.column)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column)
	}
	return columns, nil
}

// A subjectNode compares a column with the subject.
type subjectNode struct {
	column   string
	personal bool // only for filters that allow personal rows
}

func (n subjectNode) render(a alias, t terms) (squirrel.Sqlizer, error) {
	if n.personal && !t.personal {
		return nil, nil
	}
	return compare(a, n.column, slot{kind: subjectSlot})
}

// A teamsNode looks for a column among the teams of the filter.
type teamsNode struct {
	column string
	uuids  bool
}

func (n teamsNode) render(a alias, t terms) (squirrel.Sqlizer, error) {
	if !t.teams {
		return nil, nil
	}
	name, err := quoteColumn(a.String(), n.column)
	if err != nil {
		return nil, err
	}
	switch {
	case t.probes && t.dialect == Postgres:
		return squirrel.Expr(n.probe(name)), nil
	case n.uuids:
		return squirrel.Expr(t.dialect.memberOf(name), slot{kind: teamUUIDsSlot}), nil
	}
	return squirrel.Expr(t.dialect.memberOf(name), slot{kind: teamsSlot}), nil
}

// An isNode compares a column with a literal.
type isNode struct{ column, value string }

func (n isNode) render(a alias, _ terms) (squirrel.Sqlizer, error) {
	name, err := quoteColumn(a.String(), n.column)
	if err != nil {
		return nil, err
	}
	text, err := quoteLiteral(n.value)
	if err != nil {
		return nil, err
	}
	return squirrel.Expr(name + " = " + text), nil
}

// A nullNode is a column without a value.
type nullNode struct{ column string }

func (n nullNode) render(a alias, _ terms) (squirrel.Sqlizer, error) {
	name, err := quoteColumn(a.String(), n.column)
	if err != nil {
		return nil, err
	}
	return squirrel.Expr(name + " IS NULL"), nil
}

// A parentNode looks at the row of another table that a column refers to.
type parentNode struct {
	column, table, key string
	visible            Visibility
}

func (n parentNode) render(a alias, t terms) (squirrel.Sqlizer, error) {
	parent := a + 1
	condition, err := n.visible.render(parent, t)
	if condition == nil || err != nil {
		return nil, err
	}
	again, err := t.again(n)
	if err != nil {
		return nil, err
	}
	child, err1 := quoteColumn(a.String(), n.column)
	from, err2 := quoteTable(n.table)
	key, err3 := quoteColumn(parent.String(), n.key)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if !t.probes {
		parents := squirrel.Select(key).From(from + " AS " + parent.String()).Where(condition)
		return squirrel.Expr(child+" IN (?)", parents), nil
	}
	row := squirrel.Select("1").From(from + " AS " + parent.String()).Where(key + " = " + child).Where(condition)
	if t.dialect == Postgres {
		// An OFFSET keeps the planner from turning the look-up into a join, for which
		// it would read every parent that shows.
		row = row.Suffix("OFFSET 0")
	}
	// A look-up of null finds nothing, and costs half of what another one costs.
	known := child + " IS NOT NULL"
	for _, column := range again {
		known += " AND " + child + " IS DISTINCT FROM " + column
	}
	return squirrel.Expr("("+known+" AND EXISTS (?))", row), nil
}

// An anyNode is met by what meets one of its visibilities.
type anyNode struct{ vs []Visibility }

func (n anyNode) render(a alias, t terms) (squirrel.Sqlizer, error) {
	var shown squirrel.Or
	for _, v := range n.vs {
		condition, err := v.render(a, t)
		if err != nil {
			return nil, err
		}
		if condition == nil {
			continue
		}
		shown = append(shown, condition)
		if parent, ok := v.node.(parentNode); ok {
			t = t.with(parent, a)
		}
	}
	if len(shown) == 0 {
		return nil, nil // squirrel would write an empty Or as (1=0); no statement is better
	}
	return shown, nil
}

// An allNode is met by what meets every one of its visibilities.
type allNode struct{ vs []Visibility }

func (n allNode) render(a alias, t terms) (squirrel.Sqlizer, error) {
	if len(n.vs) == 0 {
		return nil, errors.New("All of nothing would show every row")
	}
	shown := make(squirrel.And, 0, len(n.vs))
	for _, v := range n.vs {
		condition, err := v.render(a, t)
		if condition == nil || err != nil {
			return nil, err
		}
		shown = append(shown, condition)
	}
	return shown, nil
}

func compare(a alias, column string, value any) (squirrel.Sqlizer, error) {
	name, err := quoteColumn(a.String(), column)
	if err != nil {
		return nil, fmt.Errorf("visibility: %w", err)
	}
	return squirrel.Expr(name+" = ?", value), nil
}
