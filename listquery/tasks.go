package listquery

import (
	"encoding/json"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// A Task is a row of the resource tasks.
type Task struct {
	ID          cursor.UUID     `json:"id"`
	Title       string          `json:"title"`
	Description *string         `json:"description"`
	Status      string          `json:"status"`
	Priority    string          `json:"priority"`
	ProjectID   *cursor.UUID    `json:"projectId"`
	MissionID   *cursor.UUID    `json:"missionId"`
	Assignee    *string         `json:"assignee"`
	Tags        json.RawMessage `json:"tags"`
	DueDate     *time.Time      `json:"dueDate"`
	Metadata    json.RawMessage `json:"metadata"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// Tasks defines the tasks of the projects that a filter shows, and of their missions,
// newest first by (created_at, id). See [Schema.TasksThroughProjectOnly] for the
// stricter rule.
func Tasks(s Schema) (*Resource[Task], error) {
	t, err := s.table(tasksTable)
	if err != nil {
		return nil, err
	}
	visible, err := s.taskVisibility(t)
	if err != nil {
		return nil, err
	}
	return defineStandard(s, Definition[Task]{
		Name:    "tasks",
		Table:   t.name,
		Columns: taskColumns(t),
		OrderBy: []string{"created_at"},
		Key:     "id",
		Visible: visible,
	})
}

func (s *Schema) taskVisibility(tasks hostTable) (Visibility, error) {
	project, err := s.throughProject(tasks.column("project_id"))
	if err != nil {
		return Visibility{}, err
	}
	mission, err := s.throughMission(tasks.column("mission_id"))
	if err != nil {
		return Visibility{}, err
	}
	if s.TasksThroughProjectOnly {
		mission = All(IsNull(tasks.column("project_id")), mission)
	}
	return Any(project, mission), nil
}

func taskColumns(t hostTable) []Column[Task] {
	return []Column[Task]{
		colAs("id", t.column("id"), func(r *Task) *cursor.UUID { return &r.ID }),
		colAs("title", t.column("title"), func(r *Task) *string { return &r.Title }),
		colAs("description", t.column("description"), func(r *Task) **string { return &r.Description }),
		colAs("status", t.column("status"), func(r *Task) *string { return &r.Status }),
		colAs("priority", t.column("priority"), func(r *Task) *string { return &r.Priority }),
		colAs("project_id", t.column("project_id"), func(r *Task) **cursor.UUID { return &r.ProjectID }),
		colAs("mission_id", t.column("mission_id"), func(r *Task) **cursor.UUID { return &r.MissionID }),
		colAs("assignee", t.column("assignee"), func(r *Task) **string { return &r.Assignee }),
		colAs("tags", t.column("tags"), func(r *Task) *json.RawMessage { return &r.Tags }),
		colAs("due_date", t.column("due_date"), func(r *Task) **time.Time { return &r.DueDate }),
		colAs("metadata", t.column("metadata"), func(r *Task) *json.RawMessage { return &r.Metadata }),
		colAs("created_at", t.column("created_at"), func(r *Task) *time.Time { return &r.CreatedAt }),
		colAs("updated_at", t.column("updated_at"), func(r *Task) *time.Time { return &r.UpdatedAt }),
	}
}
