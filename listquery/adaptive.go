package listquery

import (
	"fmt"
	"strings"

	"github.com/Masterminds/squirrel"
)

// A way is how the rows of a page are found.
type way uint8

const (
	looks  way = iota // looks around first, and goes one of the others
	walks             // along the order, and looks up for each row whether it shows
	hashes            // along the order, with the values that show in a hash table
	merges            // the newest rows of each value
	strays            // a walk in vain, or a merge behind one: no statement sets out for that
)

// An adaptive is the statement of a page for Postgres that finds its way by itself.
//
// No one way is good for every filter. Who sees most of a table is served by walking
// the order and looking up for each row whether it shows; who sees three rows in a
// million would walk forever. Who sees few projects is served by the newest rows of
// each of them; who sees all of them would ask ten thousand times for fifty rows. So
// the statement looks around first, at a bounded number of rows, and goes
//
//   - by merging the newest rows of each value, if few values show;
//   - else by a walk, if a sample of the walk is rich in rows that show, or if so many
//     values show that to merge them would take longer than a walk to its bound;
//   - else by a walk with the values in a hash table, if they are not too many, and not
//     so few that to merge them is cheaper where hardly a row of the sample shows;
//   - and by merging, where no walk is promising or one has reached its bound before the
//     page was full.
//
// Looking around and being ready for everything is much of what a short page costs. So
// each row says which way it came, and the next page of the same filter is read by a
// statement that can do no more than go that way. Where its walk ends before the page is
// full, what it says is thrown away, and the statement that looks around reads the page.
//
// Each part is a common table expression that another one reads on demand, or never.
// Every part that is used gives all rows of the page, or none: what a statement is
// chosen by, or guesses from, decides the cost alone. A page stays one statement and one
// snapshot.
//
// Nothing is left to the planner's idea of the data. Look-ups are written so that they
// cannot be turned into joins, scans have literal limits, and nothing depends on the
// values of arguments, so that a generic plan is as good as any other.
type adaptive struct {
	plan      *plan
	block     block
	terms     terms
	tuning    tuning
	continued bool
	arms      []arm
	way       way

	with  []squirrel.Sqlizer
	found []finding         // the ways that come before the merge
	names map[string]string // of the sets, by their text
	table string
	list  []string // the columns of the result, of the table t0
	keys  []string // the columns of the order, of the table t0
}

// A finding is a part with the rows of a way, and one that says whether they are the page.
type finding struct {
	way        way
	rows, done string
}

// rowLimit is how many rows the statement returns. It is one more than the page has.
var rowLimit = squirrel.Expr("CAST(? AS bigint)", slot{kind: limitSlot})

// adaptiveQuery is the adaptive statement of a block, or nil if there is but one way:
// if one value is all, an index has its rows in order; and if no way is known but the
// walk, it is all there is.
func (p *plan) adaptiveQuery(s shape, size int, continued bool, way way) (squirrel.Sqlizer, error) {
	b := p.blocks[0]
	t := terms{shape: s, probes: true}
	if s.dialect != Postgres || len(p.blocks) > 1 || !b.visible.renders(t) {
		return nil, nil
	}
	arms := b.visible.arms(t)
	if arms == nil || len(arms) == 1 && arms[0].source.single() {
		return nil, nil
	}
	for _, arm := range arms {
		if arm.hard() {
			return nil, nil
		}
	}
	a := &adaptive{plan: p, block: b, terms: t, tuning: p.tuning.sized(size), continued: continued, arms: arms, way: way,
		with: b.visible.teamParts(t), names: make(map[string]string), keys: p.orderColumns(b, 0)}
	return a.query()
}

func (a *adaptive) query() (squirrel.Sqlizer, error) {
	var err error
	if a.table, err = quoteTable(a.block.table); err != nil {
		return nil, err
	}
	if a.list, err = a.plan.selectList(a.terms.dialect, 0); err != nil {
		return nil, err
	}
	for i, column := range a.list {
		a.list[i] = fmt.Sprintf("%s AS c%d", column, i)
	}
	page, err := a.page()
	if err != nil || len(a.with) == 0 {
		return page, err
	}
	return squirrel.Expr("? ?", with(a.with), page), nil
}

// page selects the rows of the page from the parts that its way needs.
func (a *adaptive) page() (squirrel.Sqlizer, error) {
	if a.way == walks {
		return a.walk()
	}
	values, err := a.values()
	if err != nil {
		return nil, err
	}
	switch a.way {
	case hashes:
		return a.hashWalk(values)
	case merges:
		return a.merge(values)
	}
	return a.lookAround(values)
}

// lookAround puts the ways behind one another; one of them has rows.
func (a *adaptive) lookAround(sets []armSet) (squirrel.Sqlizer, error) {
	if err := a.sampledWalk(sets); err != nil {
		return nil, err
	}
	if err := a.guardedHashWalk(sets); err != nil {
		return nil, err
	}
	a.add("vain", "SELECT "+a.inVain()+" AS ok")
	merged, err := a.merge(sets)
	if err != nil {
		return nil, err
	}
	var ways strings.Builder
	for _, f := range a.found {
		fmt.Fprintf(&ways, "SELECT %d AS way, * FROM %s WHERE (SELECT done FROM %s) UNION ALL ", f.way, f.rows, f.done)
	}
	fmt.Fprintf(&ways, `SELECT CASE WHEN (SELECT ok FROM "listed-few") OR %s <= %d THEN %d ELSE %d END, * FROM (?) AS merged`,
		count(sets, fmt.Sprint(a.tuning.hashMax+1)), a.tuning.hashMax, merges, strays)
	return squirrel.Expr(ways.String()+" ORDER BY "+strings.Join(a.ordered(a.resultKeys()), ", ")+" LIMIT ?", merged, rowLimit), nil
}

// with is the clause that names parts for the statement behind it. A part can read
// those before it.
func with(parts []squirrel.Sqlizer) squirrel.Sqlizer {
	args := make([]any, len(parts))
	for i, part := range parts {
		args[i] = part
	}
	return squirrel.Expr("WITH "+repeat("?", ", ", len(parts)), args...)
}

// repeat is n times text with separators between.
func repeat(text, separator string, n int) string {
	return strings.TrimSuffix(strings.Repeat(text+separator, n), separator)
}

// add adds a part to the statement. Its name has a character that no table of a host
// can have, so that it hides none.
func (a *adaptive) add(name, text string, args ...any) string {
	quoted := `"listed-` + name + `"`
	a.with = append(a.with, part(quoted, text, args...))
	return quoted
}

// part is a named part of a statement. It is run once at most, as far as it is read.
func part(quoted, text string, args ...any) squirrel.Sqlizer {
	return squirrel.Expr(quoted+" AS MATERIALIZED ("+text+")", args...)
}

// rows is a selection of rows in their order: those that meet all conditions, behind
// the position where the page starts. It is limited by what stands for limit.
func (a *adaptive) rows(columns string, limit squirrel.Sqlizer, conditions ...squirrel.Sqlizer) squirrel.SelectBuilder {
	query := squirrel.Select(columns).From(a.table + " AS t0")
	for _, condition := range conditions {
		query = query.Where(condition)
	}
	if a.continued {
		query = query.Where(a.plan.after(a.keys))
	}
	return query.OrderBy(a.ordered(a.keys)...).SuffixExpr(squirrel.Expr("LIMIT ?", limit))
}

// rare is a condition that every row meets and the planner takes for one that one row
// in 200 meets. Without it the planner would add up what all parts of the statement
// cost if all of them ran to their ends, and compile so expensive a statement to
// machine code, which takes a hundred times as long as to run it (see the setting
// jit_above_cost).
func rare(column string) string {
	return "CASE WHEN " + column + " IS NULL THEN 1 ELSE 1 END = 1"
}

// ordered adds the direction to columns.
func (a *adaptive) ordered(columns []string) []string {
	ordered := make([]string, len(columns))
	for i, column := range columns {
		ordered[i] = column + a.plan.direction()
	}
	return ordered
}

// resultKeys are the columns of the order in the result.
func (a *adaptive) resultKeys() []string {
	keys := make([]string, len(a.plan.order))
	for i, column := range a.plan.order {
		keys[i] = fmt.Sprintf("c%d", column)
	}
	return keys
}

// boundKeys are the columns of the order where only they are read.
func (a *adaptive) boundKeys() []string {
	keys := make([]string, len(a.plan.order))
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i)
	}
	return keys
}

// render writes nodes as conditions on the listed table.
func (a *adaptive) render(nodes []node) ([]squirrel.Sqlizer, error) {
	return renderAll(nodes, 0, a.terms)
}

func renderAll(nodes []node, table alias, t terms) ([]squirrel.Sqlizer, error) {
	conditions := make([]squirrel.Sqlizer, 0, len(nodes))
	for _, n := range nodes {
		condition, err := n.render(table, t)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, condition)
	}
	return conditions, nil
}

// hostCondition is the definition's own condition, in parentheses.
func (b block) hostCondition() squirrel.Sqlizer {
	if b.where == nil {
		return nil
	}
	return squirrel.Expr("(?)", b.where)
}
