package listquery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// A MemoryItem is a row of the resource memory: an insight or a preference. Which of
// its fields count depends on Type; in JSON the others are left out.
type MemoryItem struct {
	Type MemoryType
	ID   cursor.UUID
	// Kind is the source of an insight and the category of a preference.
	Kind                 string
	CreatedAt, UpdatedAt time.Time

	// Of an insight.
	Content        *string
	Category       *string
	RelevanceScore *float64
	Metadata       json.RawMessage

	// Of a preference.
	Key     *string
	Value   json.RawMessage
	Source  *string
	Mutable *bool
}

// A MemoryType says which table a memory item is from.
type MemoryType string

// The types of memory items, in the order in which they are listed.
const (
	Insight    MemoryType = "insight"
	Preference MemoryType = "preference"
)

// memoryTypes has the type of each block.
var memoryTypes = [...]MemoryType{Insight, Preference}

// Memory defines the subject's own insights, newest first by (created_at, id), then
// the subject's preferences likewise. They show to filters that allow personal rows;
// teams make no difference.
func Memory(s Schema) (*Resource[MemoryItem], error) {
	insights, err := s.insights()
	if err != nil {
		return nil, err
	}
	preferences, err := s.preferences()
	if err != nil {
		return nil, err
	}
	r, err := defineBlocks(insights, preferences)
	if err != nil {
		return nil, err
	}
	r.setBlock = func(row *MemoryItem, block int) { row.Type = memoryTypes[block] }
	r.encode = encodeMemory
	return r, nil
}

func (s *Schema) insights() (Definition[MemoryItem], error) {
	t, err := s.table(insightsTable)
	return Definition[MemoryItem]{
		Name:    "memory",
		Table:   t.name,
		Columns: insightColumns(t),
		OrderBy: []string{"created_at"},
		Key:     "id",
		Visible: Personal(t.column("user_id")),
	}, err
}

func (s *Schema) preferences() (Definition[MemoryItem], error) {
	t, err := s.table(preferencesTable)
	return Definition[MemoryItem]{
		Table:   t.name,
		Columns: preferenceColumns(t),
		Visible: Personal(t.column("user_id")),
	}, err
}

func insightColumns(t hostTable) []Column[MemoryItem] {
	return []Column[MemoryItem]{
		colAs("id", t.column("id"), func(r *MemoryItem) *cursor.UUID { return &r.ID }),
		colAs("kind", t.column("source"), func(r *MemoryItem) *string { return &r.Kind }),
		colAs("content", t.column("content"), func(r *MemoryItem) **string { return &r.Content }),
		colAs("category", t.column("category"), func(r *MemoryItem) **string { return &r.Category }),
		colAs("relevance_score", t.column("relevance_score"), func(r *MemoryItem) **float64 { return &r.RelevanceScore }),
		colAs("metadata", t.column("metadata"), func(r *MemoryItem) *json.RawMessage { return &r.Metadata }),
		colAs("created_at", t.column("created_at"), func(r *MemoryItem) *time.Time { return &r.CreatedAt }),
		colAs("updated_at", t.column("updated_at"), func(r *MemoryItem) *time.Time { return &r.UpdatedAt }),
	}
}

func preferenceColumns(t hostTable) []Column[MemoryItem] {
	return []Column[MemoryItem]{
		colAs("id", t.column("id"), func(r *MemoryItem) *cursor.UUID { return &r.ID }),
		colAs("kind", t.column("category"), func(r *MemoryItem) *string { return &r.Kind }),
		colAs("key", t.column("key"), func(r *MemoryItem) **string { return &r.Key }),
		colAs("value", t.column("value"), func(r *MemoryItem) *json.RawMessage { return &r.Value }),
		colAs("source", t.column("source"), func(r *MemoryItem) **string { return &r.Source }),
		colAs("mutable", t.column("mutable"), func(r *MemoryItem) **bool { return &r.Mutable }),
		colAs("created_at", t.column("created_at"), func(r *MemoryItem) *time.Time { return &r.CreatedAt }),
		colAs("updated_at", t.column("updated_at"), func(r *MemoryItem) *time.Time { return &r.UpdatedAt }),
	}
}

var encodeInsight, encodePreference = objectOf(insightColumns(hostTable{})), objectOf(preferenceColumns(hostTable{}))

// encodeMemory encodes the members of the item's type.
func encodeMemory(text []byte, m *MemoryItem) ([]byte, error) {
	text = append(text, `{"type":`...)
	text = append(appendString(text, string(m.Type)), ',')
	switch m.Type {
	case Insight:
		return encodeInsight.appendMembers(text, m)
	case Preference:
		return encodePreference.appendMembers(text, m)
	}
	return nil, fmt.Errorf("listquery: memory item of unknown type %q", m.Type)
}

// MarshalJSON encodes the members of the item's type.
func (m MemoryItem) MarshalJSON() ([]byte, error) { return encodeMemory(nil, &m) }
