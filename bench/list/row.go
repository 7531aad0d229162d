package main

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
)

// The rows of the contenders that write their SQL by hand arrive in the structs of
// listquery, by the same conversions.

// pageRows is how many rows a page has. Every contender asks for one row more, to know
// whether there is another page.
const pageRows = 50

// readRows reads all rows that there are.
func readRows[T any](rows *sql.Rows, targets func(*T) []any) (any, error) {
	defer rows.Close()
	var page []T
	var row T
	into := targets(&row)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		page = append(page, row)
	}
	return page, rows.Err()
}

func taskTargets(t *listquery.Task) []any {
	return []any{(*uuid)(&t.ID), &t.Title, &t.Description, &t.Status, &t.Priority, &nullUUID{&t.ProjectID}, &nullUUID{&t.MissionID},
		&t.Assignee, (*jsonText)(&t.Tags), &t.DueDate, (*jsonText)(&t.Metadata), &t.CreatedAt, &t.UpdatedAt}
}

func noteTargets(n *listquery.Note) []any {
	return []any{(*uuid)(&n.ID), &nullUUID{&n.MissionID}, &nullUUID{&n.TaskID}, &n.Status, &n.Content, &n.CreatedAt, &n.UpdatedAt}
}

func documentTargets(d *document) []any {
	return []any{(*uuid)(&d.ID), &d.Title, &d.Body, &d.OwnerID, &nullUUID{&d.TeamID}, &d.CreatedAt}
}

func memoryTargets(m *listquery.MemoryItem) []any {
	return []any{(*memoryBlock)(&m.Type), (*uuid)(&m.ID), &m.Kind, &m.Content, &m.Category, &m.RelevanceScore, (*jsonText)(&m.Metadata),
		&m.Key, (*jsonText)(&m.Value), &m.Source, &m.Mutable, &m.CreatedAt, &m.UpdatedAt}
}

type uuid cursor.UUID

func (u *uuid) Scan(src any) error {
	text, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("%T is not a uuid", src)
	}
	id, err := cursor.ParseUUID(string(text))
	*u = uuid(id)
	return err
}

// A nullUUID reads null as a nil pointer.
type nullUUID struct{ field **cursor.UUID }

func (n *nullUUID) Scan(src any) error {
	if src == nil {
		*n.field = nil
		return nil
	}
	var id uuid
	err := id.Scan(src)
	*n.field = (*cursor.UUID)(&id)
	return err
}

type jsonText json.RawMessage

func (j *jsonText) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = nil
	case []byte:
		*j = append(jsonText(nil), v...) // the driver owns v
	default:
		return fmt.Errorf("%T is not JSON", src)
	}
	return nil
}

// A memoryBlock reads the number of a block of memory as its type.
type memoryBlock listquery.MemoryType

func (m *memoryBlock) Scan(src any) error {
	switch src {
	case int64(0):
		*m = memoryBlock(listquery.Insight)
	case int64(1):
		*m = memoryBlock(listquery.Preference)
	default:
		return fmt.Errorf("%v is no block of memory", src)
	}
	return nil
}
