package listquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A Definition describes a resource whose rows come from one table. Rows are encoded
// as encoding/json encodes a T, which must be an object without a member _source; the
// protocol's members are in camel case.
type Definition[T any] struct {
	// Name is the name of the resource in requests and grants: a lower-case letter,
	// then up to 63 lower-case letters, digits and underscores.
	Name string

	// Table is the table's name, with its schema before a dot if it needs one.
	Table string

	// Columns are the columns to read.
	Columns []Column[T]

	// OrderBy names the columns that rows are sorted by, before Key. Like Key they
	// are among Columns and never null.
	OrderBy []string

	// Key names the column that no two rows share. It decides between rows that are
	// equal in OrderBy, and is required. If it is read into a string, the column is text:
	// Get compares it with what peers send. A uuid is read into a cursor.UUID.
	Key string

	// Ascending lists the smallest row first. The default is the largest first, which
	// is the newest for times.
	Ascending bool

	// Visible says whose rows a filter shows.
	Visible Visibility

	// Where is a further condition on every row, if not nil. It is put in parentheses
	// and joined with AND; its arguments are written as question marks. A condition
	// with (1=1) anywhere in it is refused, because that is how squirrel writes an
	// empty Eq or And: a restriction that somebody lost.
	Where squirrel.Sqlizer
}

// Define checks a definition and builds the statements of the resource.
func Define[T any](d Definition[T]) (*Resource[T], error) {
	return defineBlocks(d)
}

// defineBlocks is Define for a resource that lists several tables one behind the
// other. The name and the order are those of the first block.
func defineBlocks[T any](blocks ...Definition[T]) (*Resource[T], error) {
	r := &Resource[T]{encode: encodeAny[T]}
	r.plan.tuning = standardTuning
	if err := r.define(blocks); err != nil {
		return nil, fmt.Errorf("listquery: resource %q: %w", blocks[0].Name, err)
	}
	return r, nil
}

func (r *Resource[T]) define(blocks []Definition[T]) error {
	first := blocks[0]
	if !resourcePattern.MatchString(first.Name) {
		return errors.New("the name is not a lower-case letter and up to 63 lower-case letters, digits and underscores")
	}
	r.plan.name, r.plan.ascending = first.Name, first.Ascending
	for _, d := range blocks {
		if err := r.addBlock(d); err != nil {
			return err
		}
	}
	if err := r.setOrder(append(slices.Clone(first.OrderBy), first.Key)); err != nil {
		return err
	}
	if err := r.plan.buildLayout(); err != nil {
		return err
	}
	if err := r.plan.build(); err != nil {
		return err
	}
	return r.defineGet()
}

// addBlock adds a table and the columns that no earlier block has read.
func (r *Resource[T]) addBlock(d Definition[T]) error {
	if err := checkWhere(d.Where); err != nil {
		return err
	}
	b := block{table: d.Table, visible: d.Visible, where: d.Where, selected: make(map[string]selectedColumn)}
	for _, c := range d.Columns {
		if c.target == nil {
			return errors.New("a column was not made by Col")
		}
		if _, twice := b.selected[c.as]; twice {
			return fmt.Errorf("column %q is read twice", c.as)
		}
		b.selected[c.as] = c.column
		if !slices.Contains(r.plan.columns, c.as) {
			r.plan.columns = append(r.plan.columns, c.as)
			r.columns = append(r.columns, c)
		}
	}
	r.plan.blocks = append(r.plan.blocks, b)
	return nil
}

// setOrder finds the columns of the order in every block.
func (r *Resource[T]) setOrder(names []string) error {
	if names[len(names)-1] == "" {
		return errors.New("no key: an order needs a unique column to decide between equal rows")
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("column %q stands twice in the order", name)
		}
		for _, b := range r.plan.blocks {
			if _, ok := b.selected[name]; !ok {
				return fmt.Errorf("column %q of the order is not among the columns", name)
			}
		}
		r.plan.order = append(r.plan.order, slices.Index(r.plan.columns, name))
	}
	return nil
}

// numberedPattern is an argument of Postgres.
var numberedPattern = regexp.MustCompile(`\$[0-9]`)

func checkWhere(where squirrel.Sqlizer) error {
	if where == nil {
		return nil
	}
	text, args, err := where.ToSql()
	if err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("the condition Where is empty")
	case strings.Contains(text, "(1=1)"):
		return fmt.Errorf("the condition Where has a part that restricts nothing: %s", text)
	case numberedPattern.MatchString(text):
		return fmt.Errorf("the condition Where numbers its arguments, which would be those of the whole statement: %s", text)
	}
	for _, arg := range args {
		if _, isSlot := arg.(slot); isSlot {
			return errors.New("the condition Where has an argument of this package")
		}
	}
	return nil
}

// A Resource is a kind of row that a Store lists. It is made by [Define], immutable,
// and safe for concurrent use.
type Resource[T any] struct {
	plan    plan
	single  map[shape]*statement // for one row by its key, see Store.Get
	columns []Column[T]

	// setBlock tells a row which block it is from, if there are several.
	setBlock func(row *T, block int)

	// encode appends the JSON object of a row. Defaults to encoding/json.
	encode func(text []byte, row *T) ([]byte, error)
}

// An AnyResource is a *[Resource] of any row type.
type AnyResource interface {
	// Name returns the name of the resource in requests and grants.
	Name() string

	definition() *plan // nil if it was not made by Define
	listJSON(request) (jsonPage, error)
	getJSON(ctx context.Context, s *Store, f scope.Filter, id string) (json.RawMessage, bool, error)
}

// Name returns the name of the resource in requests and grants.
func (r *Resource[T]) Name() string { return r.plan.name }

func (r *Resource[T]) definition() *plan {
	if r == nil || r.plan.statements == nil {
		return nil
	}
	return &r.plan
}

// position is the place of a row in the order.
func (r *Resource[T]) position(block int, row *T) cursor.Position {
	position := make(cursor.Position, 0, len(r.plan.order)+1)
	if len(r.plan.blocks) > 1 {
		position = append(position, cursor.EnumValue(block))
	}
	for _, column := range r.plan.order {
		position = append(position, r.columns[column].value(row))
	}
	return position
}
