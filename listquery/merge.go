package listquery

import (
	"fmt"
	"strings"

	"github.com/Masterminds/squirrel"
)

// merge adds the parts that merge the newest rows of every value, and returns the
// selection of the page.
//
// First the order columns alone of the newest rows of each value are read, from an
// index. The page is not older than the last of as many of them as it has rows: that
// is the bound. Then the rows above the bound are read, of those values that have any.
// Most values have none, if there are many; and if there are few, enough rows of each
// were looked up to make the bound a close one.
func (a *adaptive) merge(sets []armSet) (squirrel.Sqlizer, error) {
	for i, s := range sets {
		if err := a.addHeads(i, s, len(sets)); err != nil {
			return nil, err
		}
	}
	if err := a.addBound(len(sets)); err != nil {
		return nil, err
	}
	branches := make([]any, len(sets))
	for i, s := range sets {
		branch, err := a.above(i, s)
		if err != nil {
			return nil, err
		}
		branches[i] = branch
	}
	keys := a.resultKeys()
	text := "SELECT DISTINCT ON (" + strings.Join(keys, ", ") + ") * FROM (" +
		repeat("?", " UNION ALL ", len(sets)) +
		") AS above ORDER BY " + strings.Join(a.ordered(keys), ", ") + " LIMIT ?"
	return squirrel.Expr(text, append(branches, rowLimit)...), nil
}

// inVain is the condition that no walk has the page.
func (a *adaptive) inVain() string {
	conditions := make([]string, len(a.found))
	for i, f := range a.found {
		conditions[i] = "NOT (SELECT done FROM " + f.done + ")"
	}
	return strings.Join(conditions, " AND ")
}

// mergeGuard keeps the merge from running where a walk has the page.
func (a *adaptive) mergeGuard() string {
	if len(a.found) == 0 {
		return "true"
	}
	return `(SELECT ok FROM "listed-vain")`
}

// depth is how many newest rows of each value of an arm are looked up. All arms have an
// equal share, since what few values of one are parents of many of another has the more
// rows for it.
func (a *adaptive) depth(s armSet, arms int) squirrel.Sqlizer {
	values := "1"
	if s.set != "" {
		values = "GREATEST(1, (SELECT count(*) FROM " + s.set + "))"
	}
	return squirrel.Expr(fmt.Sprintf("GREATEST(1, LEAST(?, %d * ? / (%d * %s)))", a.tuning.depth, arms, values), rowLimit, rowLimit)
}

// ofValue are the conditions on the rows of one value of an arm; the value is s.v.
func (a *adaptive) ofValue(s armSet) ([]squirrel.Sqlizer, error) {
	conditions := []squirrel.Sqlizer{squirrel.Expr(s.column + " = " + castTo("s.v", s.cast))}
	if s.set == "" {
		conditions = []squirrel.Sqlizer{squirrel.Expr(s.column+" = ?", slot{kind: subjectSlot})}
	}
	rest, err := a.render(s.rest)
	if err != nil {
		return nil, err
	}
	conditions = append(conditions, rest...)
	if host := a.block.hostCondition(); host != nil {
		conditions = append(conditions, host)
	}
	return conditions, nil
}

// addHeads adds the newest keys of each value.
func (a *adaptive) addHeads(number int, s armSet, arms int) error {
	conditions, err := a.ofValue(s)
	if err != nil {
		return err
	}
	keys := a.named(a.keys)
	newest := a.rows(keys, squirrel.Expr("(SELECT ?)", a.depth(s, arms)), conditions...)
	values := "SELECT s.v, " + strings.Join(a.boundKeys(), ", ") + " FROM " + s.set + " AS s CROSS JOIN LATERAL (?) AS newest WHERE " +
		a.mergeGuard() + " AND " + rare("s.v")
	if s.set == "" {
		values = "SELECT " + strings.Join(a.boundKeys(), ", ") + " FROM (?) AS newest WHERE " + a.mergeGuard()
	}
	a.add(fmt.Sprintf("heads-%d", number), values, newest)
	return nil
}

// named are the order columns under the names of boundKeys.
func (a *adaptive) named(keys []string) string {
	named := make([]string, len(keys))
	for i, key := range keys {
		named[i] = fmt.Sprintf("%s AS k%d", key, i)
	}
	return strings.Join(named, ", ")
}

// addBound adds the key that no row of the page is behind: the last one of as many
// different keys as the page has rows, or else the last of all rows.
func (a *adaptive) addBound(arms int) error {
	keys := a.boundKeys()
	var heads []string
	for i := range arms {
		heads = append(heads, fmt.Sprintf(`SELECT %s FROM "listed-heads-%d"`, strings.Join(keys, ", "), i))
	}
	// A row may be the head of several values, and a value may come several times.
	a.add("nth", "SELECT DISTINCT * FROM ("+strings.Join(heads, " UNION ALL ")+") AS heads ORDER BY "+
		strings.Join(a.ordered(keys), ", ")+" LIMIT 1 OFFSET ? - 1", rowLimit)

	start, err := a.start()
	if err != nil {
		return err
	}
	last := squirrel.Select(a.named(a.keys)).From(a.table + " AS t0").Where(`NOT EXISTS (SELECT FROM "listed-nth")`)
	for _, condition := range start {
		last = last.Where(condition)
	}
	for _, key := range a.keys {
		last = last.OrderBy(key + a.plan.opposite())
	}
	a.add("bound", `SELECT * FROM "listed-nth" UNION ALL (?)`, last.Suffix("LIMIT 1"))
	return nil
}

// above selects the rows of an arm that are not behind the bound.
func (a *adaptive) above(number int, s armSet) (squirrel.Sqlizer, error) {
	conditions, err := a.ofValue(s)
	if err != nil {
		return nil, err
	}
	conditions = append(conditions, squirrel.Expr(a.notBehind(a.keys)))
	rows := a.rows(strings.Join(a.list, ", "), rowLimit, conditions...)
	if s.set == "" {
		return squirrel.Expr("SELECT t0.* FROM (?) AS t0 WHERE "+a.mergeGuard(), rows), nil
	}
	values := fmt.Sprintf(`(SELECT DISTINCT v FROM "listed-heads-%d" WHERE %s)`, number, a.notBehind(a.boundKeys()))
	return squirrel.Expr("SELECT t0.* FROM "+values+" AS s CROSS JOIN LATERAL (?) AS t0 WHERE "+a.mergeGuard()+" AND "+rare("s.v"), rows), nil
}

// notBehind is the condition that keys are not behind the bound.
func (a *adaptive) notBehind(keys []string) string {
	operator := " >= "
	if a.plan.ascending {
		operator = " <= "
	}
	return "(" + strings.Join(keys, ", ") + ")" + operator + "(SELECT " + strings.Join(a.boundKeys(), ", ") + ` FROM "listed-bound")`
}
