package listquery

import (
	"fmt"
	"strings"

	"github.com/Masterminds/squirrel"
)

// An armSet is an arm with the part of the statement that has its values.
type armSet struct {
	arm
	column string // quoted, of the table t0
	set    string // the part, with the values in its column v; empty for the subject
	cast   string // what makes a value comparable with the column
}

// values adds a part with the values of each arm that has many. They are read on
// demand: to count a few of thousands costs those few.
func (a *adaptive) values() ([]armSet, error) {
	sets := make([]armSet, len(a.arms))
	for i, arm := range a.arms {
		column, err := quoteColumn("t0", arm.column)
		if err != nil {
			return nil, err
		}
		sets[i] = armSet{arm: arm, column: column}
		if arm.source.single() {
			continue
		}
		if sets[i].set, sets[i].cast, err = a.source(arm.source); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// source returns the part with the values of a source, and the type they have to be
// cast to. The same values are collected once.
func (a *adaptive) source(s source) (set, cast string, err error) {
	if s.parent != nil {
		set, err = a.parents(s.parent)
	} else {
		set, cast = s.teams.part()
	}
	if err != nil || len(s.on) == 0 {
		return set, cast, err
	}
	nodes := make([]node, len(s.on))
	for i, on := range s.on {
		nodes[i] = on.node
	}
	conditions, err := renderAll(nodes, 0, a.terms)
	if err != nil {
		return "", "", err
	}
	column, err := quoteColumn("t0", s.on[0].column)
	if err != nil {
		return "", "", err
	}
	from := fmt.Sprintf("(SELECT %s AS %s FROM %s) AS t0", castTo("v", cast), strings.TrimPrefix(column, "t0."), set)
	query := squirrel.Select(column + " AS v").From(from)
	for _, condition := range conditions {
		query = query.Where(condition)
	}
	set, err = a.addSet(query.Suffix("OFFSET 0"))
	return set, "", err
}

// parents adds the part with the keys of the parents that show.
func (a *adaptive) parents(n *parentNode) (string, error) {
	var branches []any
	for _, arm := range n.visible.arms(a.terms) {
		branch, err := a.parentsBy(n, arm)
		if err != nil {
			return "", err
		}
		branches = append(branches, branch)
	}
	return a.addSet(squirrel.Expr(repeat("?", " UNION ALL ", len(branches)), branches...))
}

// parentsBy selects the keys of the parents that show by one arm. With many values,
// each is looked up by itself: the planner does not get to choose to read the table.
func (a *adaptive) parentsBy(n *parentNode, by arm) (squirrel.Sqlizer, error) {
	const parent alias = 1
	table, err := quoteTable(n.table)
	if err != nil {
		return nil, err
	}
	key, err := quoteColumn(parent.String(), n.key)
	if err != nil {
		return nil, err
	}
	column, err := quoteColumn(parent.String(), by.column)
	if err != nil {
		return nil, err
	}
	rest, err := renderAll(by.rest, parent, a.terms)
	if err != nil {
		return nil, err
	}
	query := squirrel.Select(key + " AS v").From(table + " AS " + parent.String())
	if by.source.single() {
		query = query.Where(squirrel.Expr(column+" = ?", slot{kind: subjectSlot}))
	}
	for _, condition := range rest {
		query = query.Where(condition)
	}
	if by.source.single() {
		return query, nil
	}
	set, cast, err := a.source(by.source)
	if err != nil {
		return nil, err
	}
	query = query.Where(column + " = " + castTo("s.v", cast)).Suffix("OFFSET 0")
	return squirrel.Expr("SELECT t1.v FROM "+set+" AS s CROSS JOIN LATERAL (?) AS t1 WHERE "+rare("s.v"), query), nil
}

func castTo(value, cast string) string {
	if cast == "" {
		return value
	}
	return "CAST(" + value + " AS " + cast + ")"
}

// addSet adds a part with values, unless the statement has it already.
func (a *adaptive) addSet(query squirrel.Sqlizer) (string, error) {
	text, args, err := query.ToSql()
	if err != nil {
		return "", err
	}
	id := fmt.Sprintf("%s %v", text, args)
	if name, ok := a.names[id]; ok {
		return name, nil
	}
	name := fmt.Sprintf(`"listed-set-%d"`, len(a.names)+1)
	set := part(name, "?", query)
	if a.way == hashes {
		// What is read once, for the hash table, need not be a list before. Postgres sees
		// to it that what is read twice is one.
		set = squirrel.Expr(name+" AS (?)", query)
	}
	a.with = append(a.with, set)
	a.names[id] = name
	return name, nil
}

// count is the number of values of all arms, up to a limit.
func count(sets []armSet, limit string) string {
	var parts []string
	for _, s := range sets {
		if s.set == "" {
			parts = append(parts, "SELECT 1")
		} else {
			parts = append(parts, "SELECT 1 FROM "+s.set)
		}
	}
	return "(SELECT count(*) FROM (" + strings.Join(parts, " UNION ALL ") + " LIMIT " + limit + ") AS counted)"
}
