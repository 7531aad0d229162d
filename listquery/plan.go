package listquery

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
)

// A plan is all that a resource knows before the first request: the layout of its
// positions and a finished statement for every shape of filter, every place to start
// and every dialect.
type plan struct {
	name      string
	columns   []string // as they are named in the result, in its order
	order     []int    // indexes into columns; the last one is the key
	ascending bool
	blocks    []block
	layout    cursor.Layout

	personal, teams bool       // which permissions make a difference
	members         *hostTable // where the resource looks for teams, if it knows
	statements      map[statementKey]*statement
	tuning          tuning
}

// A block is one table of a resource. A resource with several lists all visible rows
// of the first before the rows of the second.
type block struct {
	table    string
	selected map[string]selectedColumn // by name in the result
	visible  Visibility
	where    squirrel.Sqlizer
}

// A selectedColumn is a column of the table under its own name.
type selectedColumn struct {
	name     string
	kind     kind
	nullable bool
}

// A statementKey says when a statement is the right one. start is the block of the
// row before the page, or -1 for the first page; size is an index into pageSizes.
type statementKey struct {
	shape shape
	start int
	size  int
	way   way
}

// statement returns the statement for one request, or nil if no row can show. One that
// has but one way goes it whatever is asked for.
func (p *plan) statement(s shape, start, size int, way way) *statement {
	if st := p.statements[statementKey{s, start, size, way}]; st != nil {
		return st
	}
	return p.statements[statementKey{s, start, size, looks}]
}

// build has squirrel write every statement of the plan.
func (p *plan) build() error {
	p.statements = make(map[statementKey]*statement)
	for _, d := range dialects {
		for _, b := range p.blocks {
			if err := b.visible.check(d); err != nil {
				return err
			}
			p.personal, p.teams = p.personal || b.visible.personal, p.teams || b.visible.teams
		}
		for _, personal := range []bool{false, true} {
			for _, teams := range []bool{false, true} {
				if err := p.buildShape(shape{personal, teams, d}); err != nil {
					return fmt.Errorf("%s: %w", d, err)
				}
			}
		}
	}
	return nil
}

func (p *plan) buildShape(s shape) error {
	for start := -1; start < len(p.blocks); start++ {
		for size := range pageSizes {
			if err := p.buildWays(s, start, size); err != nil {
				return err
			}
		}
	}
	return nil
}

// buildWays has squirrel write the statements of a page: one for each way, or the only
// one, or none if no row can show.
func (p *plan) buildWays(s shape, start, size int) error {
	for way := range strays {
		query, err := p.adaptiveQuery(s, size, start >= 0, way)
		adaptive := query != nil
		if !adaptive && err == nil {
			query, err = p.direct(terms{shape: s, probes: true}, start)
		}
		if query == nil || err != nil {
			return err
		}
		st, err := newStatement(s.dialect, query)
		if err != nil {
			return err
		}
		st.saysWay = adaptive && way == looks
		st.strays = adaptive && (way == walks || way == hashes)
		p.statements[statementKey{s, start, size, way}] = st
		if !adaptive {
			return nil
		}
	}
	return nil
}

// direct is the SELECT of one page that has but one way: along the order.
func (p *plan) direct(t terms, start int) (squirrel.Sqlizer, error) {
	var branches []squirrel.Sqlizer
	for i := max(start, 0); i < len(p.blocks); i++ {
		branch, err := p.branch(t, i, i == start)
		if err != nil {
			return nil, err
		}
		if branch != nil {
			branches = append(branches, branch)
		}
	}
	switch len(branches) {
	case 0:
		return nil, nil
	case 1:
		return branches[0], nil
	}
	for i, branch := range branches {
		branches[i] = t.dialect.branch(branch)
	}
	return p.union(branches), nil
}

// branch selects the first rows of one block, those after a position if continued.
// Each branch has its own limit: it never reads more than one page of its block.
func (p *plan) branch(t terms, number int, continued bool) (squirrel.Sqlizer, error) {
	b := p.blocks[number]
	const listed alias = 0
	visible, err := b.visible.render(listed, t)
	if visible == nil || err != nil {
		return nil, err
	}
	table, err := quoteTable(b.table)
	if err != nil {
		return nil, err
	}
	columns, err := p.selectList(t.dialect, number)
	if err != nil {
		return nil, err
	}
	keys := p.orderColumns(b, listed)
	query := squirrel.Select(columns...).From(table + " AS " + listed.String()).Where(visible)
	if parts := b.visible.teamParts(t); len(parts) > 0 {
		query = query.PrefixExpr(with(parts))
	}
	if host := b.hostCondition(); host != nil {
		query = query.Where(host)
	}
	if continued {
		query = query.Where(p.after(keys))
	}
	for _, key := range keys {
		query = query.OrderBy(key + p.direction())
	}
	return query.Suffix("LIMIT ?", slot{kind: limitSlot}), nil
}

// after is the keyset condition: one comparison of row values, because a chain of
// OR and AND cannot bound a range of an index.
func (p *plan) after(keys []string) squirrel.Sqlizer {
	operator := " < "
	if p.ascending {
		operator = " > "
	}
	slots := make([]any, len(keys))
	for i := range keys {
		slots[i] = slot{kind: positionSlot, index: p.positionStart() + i}
	}
	return squirrel.Expr("("+strings.Join(keys, ", ")+")"+operator+"("+squirrel.Placeholders(len(keys))+")", slots...)
}

// union puts the limited branches behind one another and cuts the page.
func (p *plan) union(branches []squirrel.Sqlizer) squirrel.Sqlizer {
	parts := make([]any, 0, len(branches)+1)
	for _, branch := range branches {
		parts = append(parts, branch)
	}
	parts = append(parts, slot{kind: limitSlot})

	order := []string{"1"} // the number of the block
	for _, column := range p.order {
		order = append(order, strconv.Itoa(column+2)+p.direction())
	}
	text := repeat("?", " UNION ALL ", len(branches))
	return squirrel.Expr(text+" ORDER BY "+strings.Join(order, ", ")+" LIMIT ?", parts...)
}

// selectList is the list of result columns; a plan with several blocks reads the
// number of the block first, and null for the columns that a block lacks.
func (p *plan) selectList(d Dialect, number int) ([]string, error) {
	var list []string
	if len(p.blocks) > 1 {
		list = append(list, strconv.Itoa(number))
	}
	for _, column := range p.columns {
		selected, ok := p.blocks[number].selected[column]
		if !ok {
			list = append(list, "NULL")
			continue
		}
		name, err := quoteColumn(alias(0).String(), selected.name)
		if err != nil {
			return nil, err
		}
		if selected.kind == timeKind {
			name = d.selectTime(name, selected.nullable)
		}
		list = append(list, name)
	}
	return list, nil
}

func (p *plan) orderColumns(b block, a alias) []string {
	names := make([]string, len(p.order))
	for i, column := range p.order {
		// selectList has already refused the names that cannot be quoted.
		names[i], _ = quoteColumn(a.String(), b.selected[p.columns[column]].name)
	}
	return names
}

func (p *plan) direction() string {
	if p.ascending {
		return " ASC"
	}
	return " DESC"
}

func (p *plan) opposite() string {
	if p.ascending {
		return " DESC"
	}
	return " ASC"
}

// positionStart is the index of the first order column in a position: plans with
// several blocks have the number of the block before it.
func (p *plan) positionStart() int {
	if len(p.blocks) > 1 {
		return 1
	}
	return 0
}

// buildLayout says how a position is written into a cursor. The name of the order is
// bound into every cursor, so that a cursor does not survive a change of the order.
func (p *plan) buildLayout() error {
	var fields []cursor.Field
	if len(p.blocks) > 1 {
		fields = append(fields, cursor.Field{Kind: cursor.KindEnum, Members: len(p.blocks)})
	}
	names := make([]string, len(p.order))
	for i, column := range p.order {
		name := p.columns[column]
		field, err := p.blocks[0].selected[name].orderField()
		if err != nil {
			return err
		}
		fields = append(fields, field)
		names[i] = name + p.direction()
	}
	layout, err := cursor.NewLayout(p.name+" by "+strings.Join(names, ", ")+" v1", fields...)
	p.layout = layout
	return err
}

// orderField is the field of a cursor that holds the column's value.
func (c selectedColumn) orderField() (cursor.Field, error) {
	if c.nullable {
		return cursor.Field{}, fmt.Errorf("column %q may be null and cannot be part of the order", c.name)
	}
	kind := c.kind.cursorKind()
	if kind == cursor.KindNull {
		return cursor.Field{}, fmt.Errorf("column %q of type %s cannot be part of the order", c.name, c.kind)
	}
	return cursor.Field{Kind: kind}, nil
}

// start is the block in which a page after the position begins, -1 for the first.
func (p *plan) start(after cursor.Position) (int, error) {
	if after == nil {
		return -1, nil
	}
	if err := p.layout.Check(after); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrPosition, err)
	}
	if len(p.blocks) == 1 {
		return 0, nil
	}
	return after[0].Enum(), nil
}
