package listquery

import (
	"time"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
)

// A Note is a row of the resource notes.
type Note struct {
	ID        cursor.UUID  `json:"id"`
	MissionID *cursor.UUID `json:"missionId"`
	TaskID    *cursor.UUID `json:"taskId"`
	Status    string       `json:"status"`
	Content   string       `json:"content"`
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
}

// Notes defines the notes, neither null nor empty, that the subject wrote on missions
// of the projects that a filter shows, newest first by (created_at, id). A team widens
// the missions, never the author: what others wrote does not show.
func Notes(s Schema) (*Resource[Note], error) {
	t, err := s.table(missionTasksTable)
	if err != nil {
		return nil, err
	}
	mission, err := s.throughMission(t.column("mission_id"))
	if err != nil {
		return nil, err
	}
	notes, err := quoteColumn(alias(0).String(), t.column("notes"))
	if err != nil {
		return nil, err
	}
	return defineStandard(s, Definition[Note]{
		Name:    "notes",
		Table:   t.name,
		Columns: noteColumns(t),
		OrderBy: []string{"created_at"},
		Key:     "id",
		Visible: All(Subject(t.column("user_id")), mission),
		Where:   squirrel.Expr(notes + " <> ''"), // null is not, either
	})
}

func noteColumns(t hostTable) []Column[Note] {
	return []Column[Note]{
		colAs("id", t.column("id"), func(r *Note) *cursor.UUID { return &r.ID }),
		colAs("mission_id", t.column("mission_id"), func(r *Note) **cursor.UUID { return &r.MissionID }),
		colAs("task_id", t.column("task_id"), func(r *Note) **cursor.UUID { return &r.TaskID }),
		colAs("status", t.column("status"), func(r *Note) *string { return &r.Status }),
		colAs("content", t.column("notes"), func(r *Note) *string { return &r.Content }),
		colAs("created_at", t.column("created_at"), func(r *Note) *time.Time { return &r.CreatedAt }),
		colAs("updated_at", t.column("updated_at"), func(r *Note) *time.Time { return &r.UpdatedAt }),
	}
}
