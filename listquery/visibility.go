package listquery

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/Masterminds/squirrel"
)

// A Visibility says whose rows a filter shows. It is put together from [Personal] and
// [Teams], which let rows in, and conditions that hold them back. There is no "not",
// so that a filter which allows less can never show more. The zero Visibility shows
// nothing.
type Visibility struct {
	condition func(alias, shape) (squirrel.Sqlizer, error)

	personal, teams bool // whether these permissions of a filter make a difference
}

// A shape is what a statement depends on beside its arguments: whether the filter
// allows personal rows, whether it allows any team, and the dialect.
type shape struct {
	personal bool
	teams    bool
	dialect  Dialect
}

// An alias numbers the tables of a statement by depth: the listed table is t0, a
// parent t1, the parent's parent t2.
type alias int

func (a alias) String() string { return "t" + strconv.Itoa(int(a)) }

// Personal shows the rows whose column is the subject, to filters that allow personal
// rows.
func Personal(column string) Visibility {
	return Visibility{personal: true, condition: func(a alias, s shape) (squirrel.Sqlizer, error) {
		if !s.personal {
			return nil, nil
		}
		return compare(a, column, slot{kind: subjectSlot})
	}}
}

// Teams shows the rows whose column, of type text, is one of the filter's teams.
func Teams(column string) Visibility { return teams(column, teamsSlot) }

// TeamUUIDs is Teams for a column of type uuid. Teams of the filter that are no uuid in
// lower case match no row; Postgres would refuse the statement for them.
func TeamUUIDs(column string) Visibility { return teams(column, teamUUIDsSlot) }

func teams(column string, ids slotKind) Visibility {
	return Visibility{teams: true, condition: func(a alias, s shape) (squirrel.Sqlizer, error) {
		if !s.teams {
			return nil, nil
		}
		name, err := quoteColumn(a.String(), column)
		if err != nil {
			return nil, err
		}
		return squirrel.Expr(s.dialect.memberOf(name), slot{kind: ids}), nil
	}}
}

// Subject holds back the rows whose column is not the subject, whatever the filter
// allows. It lets no row in by itself.
func Subject(column string) Visibility {
	return Visibility{condition: func(a alias, _ shape) (squirrel.Sqlizer, error) {
		return compare(a, column, slot{kind: subjectSlot})
	}}
}

// Is holds back the rows whose column is not value. It lets no row in by itself.
//
// The value stands in the statement as a literal, so that a partial index on it, as in
// WHERE owner_type = 'team', serves prepared statements too.
func Is(column, value string) Visibility {
	return Visibility{condition: func(a alias, _ shape) (squirrel.Sqlizer, error) {
		name, err := quoteColumn(a.String(), column)
		if err != nil {
			return nil, err
		}
		text, err := quoteLiteral(value)
		if err != nil {
			return nil, err
		}
		return squirrel.Expr(name + " = " + text), nil
	}}
}

// IsNull holds back the rows that have a value in column. It lets no row in by itself.
func IsNull(column string) Visibility {
	return Visibility{condition: func(a alias, _ shape) (squirrel.Sqlizer, error) {
		name, err := quoteColumn(a.String(), column)
		if err != nil {
			return nil, err
		}
		return squirrel.Expr(name + " IS NULL"), nil
	}}
}

// Parent shows the rows whose parent shows: column refers to key of table, and v says
// who sees a row of that table. Rows without a parent do not show.
func Parent(column, table, key string, v Visibility) Visibility {
	return Visibility{personal: v.personal, teams: v.teams, condition: func(a alias, s shape) (squirrel.Sqlizer, error) {
		parent := a + 1
		condition, err := v.render(parent, s)
		if condition == nil || err != nil {
			return nil, err
		}
		child, err1 := quoteColumn(a.String(), column)
		from, err2 := quoteTable(table)
		selected, err3 := quoteColumn(parent.String(), key)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, err
		}
		parents := squirrel.Select(selected).From(from + " AS " + parent.String()).Where(condition)
		return squirrel.Expr(child+" IN (?)", parents), nil
	}}
}

// Any shows what one or more of vs show; of nothing it shows nothing.
func Any(vs ...Visibility) Visibility {
	return combined(vs, func(a alias, s shape) (squirrel.Sqlizer, error) {
		var shown squirrel.Or
		for _, v := range vs {
			condition, err := v.render(a, s)
			if err != nil {
				return nil, err
			}
			if condition != nil {
				shown = append(shown, condition)
			}
		}
		if len(shown) == 0 {
			return nil, nil // squirrel would write an empty Or as (1=0); no statement is better
		}
		return shown, nil
	})
}

// All shows what every one of vs shows. All of nothing would show everything, and is
// an error.
func All(vs ...Visibility) Visibility {
	return combined(vs, func(a alias, s shape) (squirrel.Sqlizer, error) {
		if len(vs) == 0 {
			return nil, errors.New("All of nothing would show every row")
		}
		shown := make(squirrel.And, 0, len(vs))
		for _, v := range vs {
			condition, err := v.render(a, s)
			if condition == nil || err != nil {
				return nil, err
			}
			shown = append(shown, condition)
		}
		return shown, nil
	})
}

// combined is a visibility that depends on whatever one of vs depends on.
func combined(vs []Visibility, condition func(alias, shape) (squirrel.Sqlizer, error)) Visibility {
	combined := Visibility{condition: condition}
	for _, v := range vs {
		combined.personal = combined.personal || v.personal
		combined.teams = combined.teams || v.teams
	}
	return combined
}

// render returns the condition for one shape of filter, or nil if no row can show.
func (v Visibility) render(a alias, s shape) (squirrel.Sqlizer, error) {
	if v.condition == nil {
		return nil, nil
	}
	return v.condition(a, s)
}

// check refuses a visibility that shows rows to a filter that allows none, or that
// shows none to a filter that allows all there is.
func (v Visibility) check(d Dialect) error {
	open, err := v.render(0, shape{dialect: d})
	if err != nil {
		return err
	}
	if open != nil {
		return errors.New("visibility shows rows to a filter that allows none: let rows in by Personal or Teams only")
	}
	full, err := v.render(0, shape{dialect: d, personal: true, teams: true})
	if err != nil {
		return err
	}
	if full == nil {
		return errors.New("visibility shows no row to any filter")
	}
	return nil
}

func compare(a alias, column string, value any) (squirrel.Sqlizer, error) {
	name, err := quoteColumn(a.String(), column)
	if err != nil {
		return nil, fmt.Errorf("visibility: %w", err)
	}
	return squirrel.Expr(name+" = ?", value), nil
}
