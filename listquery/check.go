package listquery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A MissingError says what a database lacks for the resources of a store.
type MissingError struct {
	Missing []Missing
}

// A Missing is a table, a column or an index that a database lacks.
type Missing struct {
	// Table is the table that is missing, or of which something is missing.
	Table string

	// Column is the column that is missing, if it is one, or that may be null and
	// must not, or whose type is not the one that it must be.
	Column string

	// Index is the statement that creates the index that is missing, if it is one.
	// It is empty where a primary key would be the index.
	Index string

	// Text says in words what is missing.
	Text string
}

func (e *MissingError) Error() string {
	parts := make([]string, len(e.Missing))
	for i, m := range e.Missing {
		parts[i] = m.Text
	}
	return "listquery: the database lacks " + strings.Join(parts, "; ")
}

// Check compares the database with what the statements of the store need: the tables,
// the columns, that those of the order cannot be null, that a key which is read as text
// is text, and the indexes without which a page would cost what the table has rows. All that
// is missing is in one error, a *[MissingError]. Any other error says that the database could
// not be asked. The table of team memberships is looked at if a resource was made with a
// [Schema], and not for resources of [Define], whose host may know teams by other ways.
//
// An index serves by its columns, whatever its name, its direction and the columns
// behind or included. A partial index serves if its condition is one that the statements
// have. An index that is not valid, as a failed CREATE INDEX CONCURRENTLY leaves it,
// serves nobody. Indexes of a partitioned table are those of the table, not of its
// partitions. What a view reads is not looked at.
//
// Check reads the catalog in several statements and changes nothing. Call it when a
// program starts.
func (s *Store) Check(ctx context.Context) error {
	c := inspection{ctx: ctx, catalog: postgresCatalog{s.db}, dialect: s.dialect, tables: make(map[string]*tableInfo)}
	if s.dialect == SQLite {
		c.catalog = sqliteCatalog{s.db}
	}
	if err := c.inspect(s); err != nil {
		return failure(ctx, "read the catalog", err)
	}
	if len(c.missing) > 0 {
		return &MissingError{c.missing}
	}
	return nil
}

// An inspection collects what is missing.
type inspection struct {
	ctx     context.Context
	catalog catalog
	dialect Dialect
	tables  map[string]*tableInfo
	missing []Missing
}

func (c *inspection) inspect(s *Store) error {
	resources := make([]AnyResource, 0, len(s.resources))
	for _, name := range slices.Sorted(maps.Keys(s.resources)) {
		resources = append(resources, s.resources[name])
	}
	for _, r := range resources {
		if err := c.resource(r.definition()); err != nil {
			return err
		}
	}
	for _, n := range needs(s.dialect, resources) {
		if err := c.index(n); err != nil {
			return err
		}
	}
	return nil
}

// resource asks for all that a resource reads. The table of team memberships is one
// that ReadAccess reads for it.
func (c *inspection) resource(p *plan) error {
	for _, b := range p.blocks {
		if err := c.columns(b.table, b.read()); err != nil {
			return err
		}
		if err := c.notNull(b.table, p.orderOf(b)); err != nil {
			return err
		}
		if err := c.keyType(b.table, b.selected[p.columns[p.keyColumn()]]); err != nil {
			return err
		}
		if err := c.parents(b.visible.node); err != nil {
			return err
		}
	}
	if m := p.members; m != nil && p.teams {
		return c.columns(m.name, []string{m.column("team_id"), m.column("user_id")})
	}
	return nil
}

// read are the columns of a table that statements read.
func (b block) read() []string {
	columns := columnsOf(b.visible.node)
	for _, c := range b.selected {
		columns = append(columns, c.name)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// parents inspects the tables that a visibility looks at.
func (c *inspection) parents(n node) error {
	var inner []Visibility
	switch n := n.(type) {
	case anyNode:
		inner = n.vs
	case allNode:
		inner = n.vs
	case parentNode:
		inner = []Visibility{n.visible}
		if err := c.columns(n.table, append(columnsOf(n.visible.node), n.key)); err != nil {
			return err
		}
	}
	for _, v := range inner {
		if err := c.parents(v.node); err != nil {
			return err
		}
	}
	return nil
}

// columns asks for a table and its columns.
func (c *inspection) columns(table string, columns []string) error {
	info, err := c.table(table)
	if info == nil || err != nil {
		return err
	}
	for _, column := range columns {
		if !slices.Contains(info.columns, column) {
			c.lacks(Missing{Table: table, Column: column, Text: fmt.Sprintf("the column %s of %s", column, table)})
		}
	}
	return nil
}

// notNull asks that columns have a value in every row: a row without one has no place
// in the order, and a page that is merged would end before it.
func (c *inspection) notNull(table string, columns []string) error {
	info, err := c.table(table)
	if info == nil || info.view || err != nil {
		return err
	}
	for _, column := range columns {
		if slices.Contains(info.nullable, column) {
			c.lacks(Missing{Table: table, Column: column, Text: fmt.Sprintf("NOT NULL for the column %s of %s", column, table)})
		}
	}
	return nil
}

// keyType asks that a key which is read as text is text: Get compares it with whatever
// text a peer sends, which as a uuid or an enum would be an error of the database.
func (c *inspection) keyType(table string, key selectedColumn) error {
	info, err := c.table(table)
	if info == nil || err != nil {
		return err
	}
	if key.kind == textKind && slices.Contains(info.untexted, key.name) {
		c.lacks(Missing{Table: table, Column: key.name, Text: fmt.Sprintf("the type text, as which it is read, for the key %s of %s", key.name, table)})
	}
	return nil
}

func (c *inspection) table(name string) (*tableInfo, error) {
	if info, known := c.tables[name]; known {
		return info, nil
	}
	info, err := c.catalog.table(c.ctx, name)
	if err != nil {
		return nil, err
	}
	c.tables[name] = info
	if info == nil {
		c.lacks(Missing{Table: name, Text: "the table " + name})
	}
	return info, nil
}

func (c *inspection) lacks(m Missing) {
	if !slices.Contains(c.missing, m) {
		c.missing = append(c.missing, m)
	}
}

// index asks for an index on a table that is there with its columns.
func (c *inspection) index(n need) error {
	info, err := c.table(n.table)
	if info == nil || info.view || err != nil {
		return err
	}
	for _, column := range slices.Concat(n.equal, n.order, n.also, []string{n.key}) {
		if column != "" && !slices.Contains(info.columns, column) {
			return nil
		}
	}
	normal, err := c.conditions(n, info)
	if err != nil {
		return err
	}
	text := n.String()
	for _, i := range info.indexes {
		if !n.serves(i, normal) {
			continue
		}
		if !i.invalid {
			return nil
		}
		text = fmt.Sprintf("%s (%s is not valid)", n, i.name)
	}
	c.lacks(Missing{Table: n.table, Index: n.ddl(c.dialect), Text: text})
	return nil
}

// conditions are those of a need in the words of the catalog, which is asked only if
// a partial index might serve.
func (c *inspection) conditions(n need, info *tableInfo) ([]string, error) {
	if !slices.ContainsFunc(info.indexes, func(i indexInfo) bool { return i.condition != "" }) {
		return nil, nil
	}
	var all []string
	for _, condition := range n.only {
		normal, err := c.catalog.normal(c.ctx, n.table, condition)
		if err != nil {
			return nil, err
		}
		all = append(all, normal)
	}
	return all, nil
}
