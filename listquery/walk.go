package listquery

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/squirrel"
)

// walk adds the parts that walk the order and look up for each row whether it shows.
func (a *adaptive) walk(sets []armSet) error {
	start, err := a.start()
	if err != nil {
		return err
	}
	shown, err := a.block.visible.render(0, a.terms)
	if err != nil {
		return err
	}
	if a.way == looks {
		a.sampledWalk(sets, start, shown)
		return nil
	}
	t := a.tuning
	a.along("walk", t.walk, start, shown)
	end := a.rows("1", far(t.walk, start), start...)
	a.add("walked", fmt.Sprintf(`SELECT CASE WHEN (SELECT count(*) FROM "listed-walk") >= ? THEN true`+
		` ELSE (SELECT count(*) FROM (?) AS ahead) < %d END AS done`, t.walk), rowLimit, end)
	a.found = append(a.found, finding{walks, `"listed-walk"`, `"listed-walked"`})
	return nil
}

// along adds a part with the rows that show among so many, in their order.
func (a *adaptive) along(name string, rows int, start []squirrel.Sqlizer, shown squirrel.Sqlizer, guard ...string) {
	query := squirrel.Select(a.list...).FromSelect(a.rows("*", far(rows, start), start...), "t0").
		Where(rare(a.keys[0])).Where(a.withHostCondition(shown))
	for _, condition := range guard {
		query = query.Where(condition)
	}
	a.add(name, "?", query.OrderBy(a.ordered(a.keys)...).SuffixExpr(squirrel.Expr("LIMIT ?", rowLimit)))
}

// sampledWalk adds the walk that goes on if its first rows promise a page, or if nothing
// else would be cheaper.
//
// The rows of the walk stay in their order: a part is a list, which is read from its
// start by whoever reads it, and grows as far as it is read. So the sample costs
// nothing that the walk would not have cost.
func (a *adaptive) sampledWalk(sets []armSet, start []squirrel.Sqlizer, shown squirrel.Sqlizer) {
	t := a.tuning
	a.add("seen", "SELECT "+strings.Join(a.list, ", ")+", ? AS shown FROM (?) AS t0 WHERE "+rare(a.keys[0]),
		a.withHostCondition(shown), a.rows("*", far(t.walk, start), start...))
	a.add("few", fmt.Sprintf(`SELECT %s <= %d AS ok`, count(sets, t.few+1), t.few))
	a.add("wide", `SELECT CASE WHEN (SELECT ok FROM "listed-few") THEN false WHEN `+t.isWide()+` THEN true ELSE `+
		fmt.Sprintf("%s > %d", count(sets, t.many+1), t.many)+` END AS ok`)
	a.add("walk", `SELECT `+a.resultColumns()+` FROM "listed-seen" WHERE shown AND (SELECT ok FROM "listed-wide") LIMIT ?`, rowLimit)
	a.add("walked", fmt.Sprintf(`SELECT CASE WHEN NOT (SELECT ok FROM "listed-wide") THEN false`+
		` WHEN (SELECT count(*) FROM "listed-walk") >= ? THEN true`+
		` ELSE (SELECT count(*) FROM "listed-seen") < %d END AS done`, t.walk), rowLimit)
	a.found = append(a.found, finding{walks, `"listed-walk"`, `"listed-walked"`})
}

// isWide is the condition that the rows that the walk sees first promise a page.
func (t tuning) isWide() string {
	const seen = `FROM (SELECT shown FROM "listed-seen" LIMIT %d) AS sample)`
	again := fmt.Sprintf("(SELECT count(*) FILTER (WHERE shown) >= %d "+seen, t.good, t.resample)
	return fmt.Sprintf("(SELECT CASE WHEN count(*) < %d OR count(*) FILTER (WHERE shown) >= %d THEN true"+
		" WHEN count(*) FILTER (WHERE shown) < %d THEN false ELSE %s END "+seen, t.sample, t.rich, t.poor, again, t.sample)
}

// hashWalk adds the parts that walk the order with the values in a hash table.
func (a *adaptive) hashWalk(sets []armSet) error {
	start, err := a.start()
	if err != nil {
		return err
	}
	shown, err := a.hashed(sets)
	if err != nil {
		return err
	}
	t := a.tuning
	var guard []string
	if a.way == looks {
		some := fmt.Sprintf("%s BETWEEN %d AND %d", count(sets, t.hashMax+1), t.hashMin, t.hashMax)
		a.add("some", `SELECT CASE WHEN (SELECT done FROM "listed-walked") THEN false ELSE `+some+` END AS ok`)
		guard = append(guard, `(SELECT ok FROM "listed-some")`)
	}
	a.along("hash", t.hashWalk, start, shown, guard...)
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

// withHostCondition joins a condition with the definition's own, in a form that the
// planner does not take apart.
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
