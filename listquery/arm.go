package listquery

import "slices"

// An arm is a way to find rows of a table: those with a known value in one column. An
// index on that column and the order finds the newest rows of each value, and the
// newest of all are among them, however large the table is.
type arm struct {
	column string
	source source
	rest   []node // what must hold of the row beside
}

// A source says which values the column of an arm may have: one, the subject, or
// many, which a statement collects first.
type source struct {
	teams  *teamsNode  // the teams of the filter
	parent *parentNode // the keys of the parents that show
	on     []condition // what must hold of a value beside
}

// A condition is a node on the column that its arm's values are in.
type condition struct {
	node
	column string
}

// single reports whether the source is the subject.
func (s source) single() bool { return s.teams == nil && s.parent == nil }

// hard reports whether the rest of the arm asks for more than comparisons with single
// values. An index cannot answer it, so that any number of rows may have to be passed
// over before one that shows.
func (a arm) hard() bool { return slices.ContainsFunc(a.rest, isHard) }

func isHard(n node) bool {
	switch n := n.(type) {
	case teamsNode, parentNode, anyNode:
		return true
	case allNode:
		return slices.ContainsFunc(n.vs, func(v Visibility) bool { return isHard(v.node) })
	}
	return false
}

func (n subjectNode) arms(terms) []arm { return []arm{{column: n.column}} }

func (n teamsNode) arms(terms) []arm {
	return []arm{{column: n.column, source: source{teams: &n}}}
}

func (isNode) arms(terms) []arm { return nil }

func (nullNode) arms(terms) []arm { return nil }

// arms of a parent are one arm, if the parents that show can be found.
func (n parentNode) arms(t terms) []arm {
	if n.visible.arms(t) == nil {
		return nil
	}
	return []arm{{column: n.column, source: source{parent: &n}}}
}

// arms of Any are those of all its parts: rows that show by one of them must be found.
func (n anyNode) arms(t terms) []arm {
	var all []arm
	for _, v := range n.vs {
		if !v.renders(t) {
			continue
		}
		arms := v.arms(t)
		if arms == nil {
			return nil
		}
		all = append(all, arms...)
	}
	return all
}

// arms of All are those of one of its parts, and the other parts are conditions. A
// part that leaves easy conditions is the better one.
func (n allNode) arms(t terms) []arm {
	var best []arm
	for i, v := range n.vs {
		arms := v.arms(t)
		if arms == nil {
			continue
		}
		for j, other := range n.vs {
			if i != j {
				arms = restricted(arms, other.node)
			}
		}
		if best == nil || slices.ContainsFunc(best, arm.hard) && !slices.ContainsFunc(arms, arm.hard) {
			best = arms
		}
	}
	return best
}

// restricted returns the arms with a further condition. One that asks for no other
// column than an arm's own is asked of each value, once, and not of every row.
func restricted(arms []arm, n node) []arm {
	restricted := make([]arm, len(arms))
	for i, a := range arms {
		columns := columnsOf(n)
		if !a.source.single() && len(columns) == 1 && columns[0] == a.column {
			a.source.on = append(slices.Clone(a.source.on), condition{n, a.column})
		} else {
			a.rest = append(slices.Clone(a.rest), n)
		}
		restricted[i] = a
	}
	return restricted
}

// columnsOf returns the columns of the row that a node looks at, each once.
func columnsOf(n node) []string {
	var columns []string
	of := func(vs []Visibility) {
		for _, v := range vs {
			columns = append(columns, columnsOf(v.node)...)
		}
	}
	switch n := n.(type) {
	case subjectNode:
		return []string{n.column}
	case teamsNode:
		return []string{n.column}
	case isNode:
		return []string{n.column}
	case nullNode:
		return []string{n.column}
	case parentNode:
		return []string{n.column}
	case anyNode:
		of(n.vs)
	case allNode:
		of(n.vs)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

func (v Visibility) arms(t terms) []arm {
	if v.node == nil {
		return nil
	}
	return v.node.arms(t)
}

// renders reports whether any row can show to filters of the shape.
func (v Visibility) renders(t terms) bool {
	condition, err := v.render(0, t)
	return condition != nil && err == nil
}

// conjuncts are the conditions that a node is made of, if all of them must be met.
func conjuncts(n node) []node {
	all, ok := n.(allNode)
	if !ok {
		return []node{n}
	}
	var parts []node
	for _, v := range all.vs {
		parts = append(parts, conjuncts(v.node)...)
	}
	return parts
}

// easy returns the conjuncts of a visibility that compare with single values. An
// index that begins with their columns has the rows in order that meet them.
func (v Visibility) easy() []node { return slices.DeleteFunc(conjuncts(v.node), isHard) }
