package listquery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/squirrel"
)

// walk selects the rows that a walk finds which looks up for each row whether it shows.
func (a *adaptive) walk() (squirrel.Sqlizer, error) {
	shown, err := a.block.visible.render(0, a.terms)
	if err != nil {
		return nil, err
	}
	return a.along("*", a.list, a.tuning.walk, shown)
}

// along selects the rows that show among so many, in their order. Of those that do not
// show it reads the columns alone.
func (a *adaptive) along(columns string, list []string, rows int, shown squirrel.Sqlizer, guard ...string) (squirrel.Sqlizer, error) {
	start, err := a.start()
	if err != nil {
		return nil, err
	}
	query := squirrel.Select(list...).FromSelect(a.rows(columns, far(rows, start), start...), "t0").Where(rare(a.keys[0]))
	if host := a.block.hostCondition(); host != nil {
		query = query.Where(host)
	}
	query = query.Where(squirrel.Expr("(?) IS TRUE", shown))
	for _, condition := range guard {
		query = query.Where(condition)
	}
	return query.OrderBy(a.ordered(a.keys)...).SuffixExpr(squirrel.Expr("LIMIT ?", rowLimit)), nil
}

// sampledWalk adds the walk that goes on if its first rows promise a page, or if nothing
// else would be cheaper.
//
// The rows of the walk stay in their order: a part is a list, which is read from its
// start by whoever reads it, and grows as far as it is read. So the sample costs
// nothing that the walk would not have cost.
func (a *adaptive) sampledWalk(sets []armSet) error {
	start, err := a.start()
	if err != nil {
		return err
	}
	shown, err := a.block.visible.render(0, a.terms)
	if err != nil {
		return err
	}
	t := a.tuning
	a.add("seen", "SELECT "+strings.Join(a.list, ", ")+", ? AS shown FROM (?) AS t0 WHERE "+rare(a.keys[0]),
		a.withHostCondition(shown), a.rows("*", far(t.walk, start), start...))
	a.add("few", fmt.Sprintf(`SELECT %s <= %d AS ok`, count(sets, fmt.Sprint(t.few+1)), t.few))
	a.add("sample", "SELECT count(*) AS seen, count(*) FILTER (WHERE shown) AS shown FROM "+firstSeen(t.sample))
	a.add("wide", `SELECT CASE WHEN (SELECT ok FROM "listed-few") THEN false WHEN (?) THEN true ELSE `+
		fmt.Sprintf("%s > %d END AS ok", count(sets, fmt.Sprint(t.many+1)), t.many), a.isWide(sets))
	a.add("walk", `SELECT `+a.resultColumns()+` FROM "listed-seen" WHERE shown AND (SELECT ok FROM "listed-wide") LIMIT ?`, rowLimit)
	a.add("walked", fmt.Sprintf(`SELECT CASE WHEN NOT (SELECT ok FROM "listed-wide") THEN false`+
		` WHEN (SELECT count(*) FROM "listed-walk") >= ? THEN true`+
		` ELSE (SELECT count(*) FROM "listed-seen") < %d END AS done`, t.walk), rowLimit)
	a.found = append(a.found, finding{walks, `"listed-walk"`, `"listed-walked"`})
	return nil
}

// firstSeen are the first rows that the walk sees.
func firstSeen(rows int) string {
	return fmt.Sprintf(`(SELECT shown FROM "listed-seen" LIMIT %d) AS sample`, rows)
}

// isWide selects whether the rows that the walk sees first promise a page, and one that
// is cheaper than by a hash table. To find a value costs as much as to look at a row, or
// half of that: the hash table is the better way if the values are not many more than the
// rows that the walk has ahead.
func (a *adaptive) isWide(sets []armSet) squirrel.Sqlizer {
	t := a.tuning
	most := fmt.Sprintf("LEAST(%d, 3 * ? * seen / GREATEST(1, shown))", t.hashMax)
	again := fmt.Sprintf("(SELECT count(*) FILTER (WHERE shown) >= %d FROM %s)", t.good, firstSeen(t.resample))
	return squirrel.Expr(fmt.Sprintf("SELECT CASE WHEN seen < %d OR shown >= %d THEN true WHEN shown < %d OR %s <= %s THEN false ELSE %s END"+
		` FROM "listed-sample"`, t.sample, t.rich, t.poor, count(sets, most+" + 1"), most, again), rowLimit, rowLimit)
}

// hashWalk selects the rows that a walk finds with the values in a hash table. It goes
// far for a page, so it reads what an index has, and the rows that show for themselves.
func (a *adaptive) hashWalk(sets []armSet, guard ...string) (squirrel.Sqlizer, error) {
	shown, err := a.hashed(sets)
	if err != nil {
		return nil, err
	}
	if a.block.where != nil { // which may ask for any column
		return a.along("*", a.list, a.tuning.hashWalk, shown, guard...)
	}
	columns := slices.Clone(a.keys)
	for _, name := range columnsOf(a.block.visible.node) {
		column, err := quoteColumn("t0", name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	found, err := a.along(strings.Join(columns, ", "), []string{a.named(a.keys)}, a.tuning.hashWalk, shown, guard...)
	if err != nil {
		return nil, err
	}
	start, err := a.start()
	if err != nil {
		return nil, err
	}
	row := squirrel.Select(a.list...).From(a.table + " AS t0").
		Where("(" + strings.Join(a.keys, ", ") + ") = (" + strings.Join(a.boundKeys(), ", ") + ")")
	for _, condition := range start {
		row = row.Where(condition)
	}
	return squirrel.Expr("SELECT t0.* FROM (?) AS found CROSS JOIN LATERAL (?) AS t0 ORDER BY "+
		strings.Join(a.ordered(a.boundKeys()), ", "), found, row.Suffix("OFFSET 0")), nil
}

// guardedHashWalk adds the walk with the hash table where the other one has no page and
// the values are neither few nor too many.
func (a *adaptive) guardedHashWalk(sets []armSet) error {
	t := a.tuning
	some := fmt.Sprintf(`SELECT %s BETWEEN CASE WHEN shown >= %d THEN 0 ELSE %d END AND %d FROM "listed-sample"`,
		count(sets, fmt.Sprint(t.hashMax+1)), t.poor, t.hashMin, t.hashMax)
	a.add("some", `SELECT CASE WHEN (SELECT ok FROM "listed-few") OR (SELECT done FROM "listed-walked") THEN false ELSE (`+some+`) END AS ok`)
	walk, err := a.hashWalk(sets, `(SELECT ok FROM "listed-some")`)
	if err != nil {
		return err
	}
	a.add("hash", "?", walk)
	// That the walk came to the end of the table would take as many steps again to find
	// out. The merge is cheaper, since there are not too many values.
	a.add("hashed", `SELECT (SELECT count(*) FROM "listed-hash") >= ? AS done`, rowLimit)
	a.found = append(a.found, finding{hashes, `"listed-hash"`, `"listed-hashed"`})
	return nil
}

// start has the conditions that an index can answer: those on every row that shows.
func (a *adaptive) start() ([]squirrel.Sqlizer, error) {
	return a.render(a.block.visible.easy())
}

// hashed is the condition that a row shows by one of the arms.
func (a *adaptive) hashed(sets []armSet) (squirrel.Sqlizer, error) {
	var shown squirrel.Or
	for _, s := range sets {
		rest, err := a.render(s.rest)
		if err != nil {
			return nil, err
		}
		all := squirrel.And{s.isAmong()}
		shown = append(shown, append(all, rest...))
	}
	return shown, nil
}

// isAmong is the condition that a row has one of the arm's values.
func (s armSet) isAmong() squirrel.Sqlizer {
	if s.set == "" {
		return squirrel.Expr(s.column+" = ?", slot{kind: subjectSlot})
	}
	return squirrel.Expr(s.column + " IN (SELECT " + castTo("v", s.cast) + " FROM " + s.set + ")")
}

// withHostCondition joins a condition with the definition's own.
func (a *adaptive) withHostCondition(shown squirrel.Sqlizer) squirrel.Sqlizer {
	if host := a.block.hostCondition(); host != nil {
		return squirrel.Expr("((?) AND ?) IS TRUE", shown, host)
	}
	return squirrel.Expr("(?) IS TRUE", shown)
}

// resultColumns are the names of the columns of the result.
func (a *adaptive) resultColumns() string {
	columns := make([]string, len(a.list))
	for i := range columns {
		columns[i] = fmt.Sprintf("c%d", i)
	}
	return strings.Join(columns, ", ")
}

// far is the number of rows that a walk may look at, in a form that has the planner
// walk an index.
//
// Of all rows, a literal number is few, and to sort them all would be much dearer. Of
// the rows that meet the conditions where the walk starts it may be more than the
// planner believes there are, who would then fetch and sort them all, and be wrong
// about their number. Of a number that it cannot see it assumes a tenth of the rows.
func far(rows int, start []squirrel.Sqlizer) squirrel.Sqlizer {
	number := strconv.Itoa(rows)
	if len(start) > 0 {
		number = "(SELECT " + number + ")"
	}
	return squirrel.Expr(number)
}
