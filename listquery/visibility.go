package listquery

import (
	"errors"
	"strconv"

	"github.com/Masterminds/squirrel"
)

// A Visibility says whose rows a filter shows. It is put together from [Personal] and
// [Teams], which let rows in, and conditions that hold them back. There is no "not",
// so that a filter which allows less can never show more. The zero Visibility shows
// nothing.
type Visibility struct {
	node node

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
	return Visibility{personal: true, node: subjectNode{column: column, personal: true}}
}

// Teams shows the rows whose column, of type text, is one of the filter's teams.
func Teams(column string) Visibility {
	return Visibility{teams: true, node: teamsNode{column: column}}
}

// TeamUUIDs is Teams for a column of type uuid. Teams of the filter that are no uuid in
// lower case match no row; Postgres would refuse the statement for them.
func TeamUUIDs(column string) Visibility {
	return Visibility{teams: true, node: teamsNode{column: column, uuids: true}}
}

// Subject holds back the rows whose column is not the subject, whatever the filter
// allows. It lets no row in by itself.
func Subject(column string) Visibility {
	return Visibility{node: subjectNode{column: column}}
}

// Is holds back the rows whose column is not value. It lets no row in by itself.
//
// The value stands in the statement as a literal, so that a partial index on it, as in
// WHERE owner_type = 'team', serves prepared statements too.
func Is(column, value string) Visibility {
	return Visibility{node: isNode{column, value}}
}

// IsNull holds back the rows that have a value in column. It lets no row in by itself.
func IsNull(column string) Visibility {
	return Visibility{node: nullNode{column}}
}

// Parent shows the rows whose parent shows: column refers to key of table, and v says
// who sees a row of that table. Rows without a parent do not show.
func Parent(column, table, key string, v Visibility) Visibility {
	return Visibility{personal: v.personal, teams: v.teams, node: parentNode{column, table, key, v}}
}

// Any shows what one or more of vs show; of nothing it shows nothing.
func Any(vs ...Visibility) Visibility { return combined(vs, anyNode{vs}) }

// All shows what every one of vs shows. All of nothing would show everything, and is
// an error.
func All(vs ...Visibility) Visibility { return combined(vs, allNode{vs}) }

// combined is a visibility that depends on whatever one of vs depends on.
func combined(vs []Visibility, n node) Visibility {
	combined := Visibility{node: n}
	for _, v := range vs {
		combined.personal = combined.personal || v.personal
		combined.teams = combined.teams || v.teams
	}
	return combined
}

// render returns the condition for one shape of filter, or nil if no row can show.
func (v Visibility) render(a alias, t terms) (squirrel.Sqlizer, error) {
	if v.node == nil {
		return nil, nil
	}
	return v.node.render(a, t)
}

// check refuses a visibility that shows rows to a filter that allows none, or that
// shows none to a filter that allows all there is.
func (v Visibility) check(d Dialect) error {
	open, err := v.render(0, terms{shape: shape{dialect: d}})
	if err != nil {
		return err
	}
	if open != nil {
		return errors.New("visibility shows rows to a filter that allows none: let rows in by Personal or Teams only")
	}
	full, err := v.render(0, terms{shape: shape{dialect: d, personal: true, teams: true}})
	if err != nil {
		return err
	}
	if full == nil {
		return errors.New("visibility shows no row to any filter")
	}
	return nil
}
