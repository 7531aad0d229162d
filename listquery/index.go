package listquery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Indexes returns the statements that create the indexes which pages of the resources
// need, for a database that speaks d. Without resources they are those of the standard
// schema under its own names:
//
//	for _, statement := range listquery.Indexes(listquery.Postgres) { … }
//
// An index that exists under the same name is left alone. One that exists under
// another name is not seen; compare with [Store.Check], which goes by columns. Keys
// of tables are taken to be primary keys, and get no index.
//
// In Postgres the index that walks follow has the columns beside that decide whether a
// row shows, so that rows which do not show need not be read: for grants in the middle
// that saves a seventh of the time, and two thirds where rows do not lie in the order of
// the list. An index without them, as may be there already, serves too.
//
// On a large table that is in use, create them one by one and CONCURRENTLY, which
// Postgres allows outside of a transaction only.
func Indexes(d Dialect, resources ...AnyResource) []string {
	if len(resources) == 0 {
		resources, _ = Standard(Schema{}) // which cannot fail
	}
	var statements []string
	for _, n := range needs(d, resources) {
		if statement := n.ddl(d); statement != "" && !slices.Contains(statements, statement) {
			statements = append(statements, statement)
		}
	}
	return statements
}

// A need is an index that statements rely on. It begins with all columns of equal, in
// any order and with those of also among them or not; the columns of order follow.
type need struct {
	table string
	equal []string
	order []string
	key   string   // read along, which an index on it as well makes cheaper
	along []string // likewise, beside the order

	ascending bool
	also      []string // columns that conditions compare beside
	only      []string // conditions on the rows that are looked for, as SQL
	primary   bool     // the index of a key
}

// needs lists what the resources need, in the order of their definition.
func needs(d Dialect, resources []AnyResource) []need {
	var all []need
	for _, r := range resources {
		if r == nil || r.definition() == nil {
			continue
		}
		p := r.definition()
		for _, b := range p.blocks {
			all = append(all, p.needsOf(b, d)...)
		}
		if m := p.members; m != nil && p.teams {
			all = append(all, m.membersNeed())
		}
	}
	return all
}

// membersNeed is the index that finds the teams of a subject.
func (t *hostTable) membersNeed() need {
	return need{table: t.name, equal: []string{t.column("user_id")}, key: t.column("team_id")}
}

// needsOf lists the indexes for the rows of one table.
func (p *plan) needsOf(b block, d Dialect) []need {
	t := terms{shape: shape{personal: true, teams: true, dialect: d}, probes: true}
	host := b.partial()
	arms := b.visible.arms(t)
	single := len(arms) == 1 && arms[0].source.single()
	// SQLite has no LATERAL to merge by, and walks.
	hard := arms == nil || slices.ContainsFunc(arms, arm.hard) || d == SQLite && !single
	var all []need
	if hard || !single {
		walk := need{table: b.table}
		walk.restrict(b.visible.easy())
		walk = p.inOrder(walk, b)
		if !hard && b.where == nil {
			walk.readAlong(columnsOf(b.visible.node))
		}
		all = append(all, walk)
	}
	for _, a := range arms {
		if hard {
			break
		}
		n := need{table: b.table, equal: []string{a.column}}
		n.restrict(a.rest)
		n.only = append(n.only, host...)
		all = append(all, p.inOrder(n, b))
	}
	return append(all, parentNeeds(b.visible.node, t)...)
}

// inOrder adds the order of the plan to a need.
func (p *plan) inOrder(n need, b block) need {
	n.order, n.ascending = p.orderOf(b), p.ascending
	return n
}

// readAlong adds columns that decide whether a row shows: a walk that finds them in the
// index need not read the rows that do not.
func (n *need) readAlong(columns []string) {
	for _, column := range columns {
		if !slices.Contains(n.equal, column) && !slices.Contains(n.order, column) {
			n.along = append(n.along, column)
		}
	}
}

// orderOf are the columns of the order in a table.
func (p *plan) orderOf(b block) []string {
	names := make([]string, len(p.order))
	for i, column := range p.order {
		names[i] = b.selected[p.columns[column]].name
	}
	return names
}

// restrict adds conditions with single values to a need.
func (n *need) restrict(nodes []node) {
	for _, part := range nodes {
		switch part := part.(type) {
		case subjectNode:
			if !slices.Contains(n.equal, part.column) {
				n.equal = append(n.equal, part.column)
			}
		case isNode:
			text, _ := quoteLiteral(part.value) // Define has had it quoted
			n.also = append(n.also, part.column)
			n.only = append(n.only, quoteName(part.column)+" = "+strings.ReplaceAll(text, "??", "?"))
		case nullNode:
			n.also = append(n.also, part.column)
			n.only = append(n.only, quoteName(part.column)+" IS NULL")
		case allNode:
			n.restrict(conjuncts(part))
		}
	}
}

// partial is the definition's own condition, if an index can have it: without
// arguments, which are values of their own in each statement.
func (b block) partial() []string {
	if b.where == nil {
		return nil
	}
	text, args, err := b.where.ToSql()
	if err != nil || len(args) > 0 {
		return nil
	}
	return []string{strings.ReplaceAll(strings.ReplaceAll(text, "??", "?"), alias(0).String()+".", "")}
}

// parentNeeds lists the indexes of the tables that a node looks at: on their keys, by
// which a probe finds the parent of a row, and on the columns by which the parents
// that show are found.
func parentNeeds(n node, t terms) []need {
	var all []need
	var inner []Visibility
	switch n := n.(type) {
	case anyNode:
		inner = n.vs
	case allNode:
		inner = n.vs
	case parentNode:
		inner = []Visibility{n.visible}
		all = append(all, n.probeNeed())
		for _, a := range n.visible.arms(t) {
			if t.dialect == SQLite {
				break
			}
			set := need{table: n.table, equal: []string{a.column}, key: n.key}
			set.restrict(a.rest)
			all = append(all, set)
		}
	}
	for _, v := range inner {
		all = append(all, parentNeeds(v.node, t)...)
	}
	return all
}

// probeNeed is the index that finds a parent by its key.
func (n parentNode) probeNeed() need {
	probe := need{table: n.table, primary: true}
	probe.restrict(n.visible.easy())
	probe.also, probe.only = append(probe.also, probe.equal...), nil
	probe.equal = []string{n.key}
	return probe
}

// ddl creates the index, unless a primary key is it.
func (n need) ddl(d Dialect) string {
	if n.primary || d != Postgres && d != SQLite {
		return ""
	}
	columns := slices.Clone(n.equal)
	if n.key != "" && !slices.Contains(columns, n.key) {
		columns = append(columns, n.key)
	}
	quoted := make([]string, 0, len(columns)+len(n.order))
	for _, column := range columns {
		quoted = append(quoted, quoteName(column))
	}
	direction := " DESC"
	if n.ascending {
		direction = ""
	}
	for _, column := range n.order {
		quoted = append(quoted, quoteName(column)+direction)
	}
	along := make([]string, len(n.along))
	for i, column := range n.along {
		along[i] = quoteName(column)
	}
	include := ""
	if len(along) > 0 {
		include = " INCLUDE (" + strings.Join(along, ", ") + ")"
	}
	table, _ := quoteTable(n.table) // Define has quoted it before
	index, on := n.name(slices.Concat(columns, n.order, n.along)), table
	if schema, name, qualified := strings.Cut(table, "."); qualified && d == SQLite {
		index, on = schema+"."+index, name // SQLite wants the schema there
	}
	text := "CREATE INDEX IF NOT EXISTS " + index + " ON " + on + " (" + strings.Join(quoted, ", ") + ")" + include
	if len(n.only) > 0 {
		text += " WHERE " + strings.Join(n.only, " AND ")
	}
	return text
}

// name is made of the names of the table and the columns; where that is longer than
// Postgres keeps, a hash stands for its end.
func (n need) name(columns []string) string {
	_, table, qualified := strings.Cut(n.table, ".")
	if !qualified {
		table = n.table
	}
	name := table + "_by_" + strings.Join(columns, "_")
	if len(n.only) > 0 {
		name += "_where"
		for _, column := range n.also {
			name += "_" + column
		}
	}
	const longest = 63
	if len(name) > longest {
		sum := sha256.Sum256([]byte(name + strings.Join(n.only, " ")))
		name = name[:longest-9] + "_" + hex.EncodeToString(sum[:4])
	}
	return quoteName(name)
}

// quoteName quotes a name that was checked before.
func quoteName(name string) string { return `"` + name + `"` }

// String says what is looked for.
func (n need) String() string {
	text := fmt.Sprintf("an index on %s (%s)", n.table, strings.Join(append(slices.Clone(n.equal), n.order...), ", "))
	if len(n.only) > 0 {
		text += ", if partial then WHERE " + strings.Join(n.only, " AND ")
	}
	return text
}
