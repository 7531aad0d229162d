package lawtest

import "time"

// The rows of the standard schema as the tests make them. Pointers are columns
// that may be null; document is a JSON column.

type user struct{ id string }

type team struct{ id, owner string }

type member struct{ team, user string }

type project struct {
	id, ownerType string
	ownerID       *string
	teamID        *string
}

type mission struct {
	id        string
	projectID *string
	userID    string
}

type task struct {
	id, title, status, priority string
	description, assignee       *string
	projectID, missionID        *string
	tags, metadata              document
	dueDate                     *time.Time
	createdAt, updatedAt        time.Time
}

type note struct {
	id, missionID, userID, status string
	taskID, notes                 *string
	createdAt, updatedAt          time.Time
}

type insight struct {
	id, userID, content, source, category string
	relevance                             float64
	metadata                              document
	createdAt, updatedAt                  time.Time
}

type preference struct {
	id, userID, key, category string
	source                    *string
	value                     document
	mutable                   bool
	createdAt, updatedAt      time.Time
}

// document is JSON text; the empty document is SQL's null.
type document string

// row is what every row type can tell about itself.
type row interface {
	table() string
	columns() []column
}

type column struct {
	name  string
	value any
}

func (user) table() string       { return "users" }
func (team) table() string       { return "teams" }
func (member) table() string     { return "team_members" }
func (project) table() string    { return "projects" }
func (mission) table() string    { return "missions" }
func (task) table() string       { return "tasks" }
func (note) table() string       { return "mission_tasks" }
func (insight) table() string    { return "insights" }
func (preference) table() string { return "preferences" }

func (u user) columns() []column {
	return []column{{"id", u.id}, {"name", "User " + u.id}, {"email", u.id + "@example.test"}}
}

func (m team) columns() []column {
	return []column{
		{"id", m.id}, {"name", "Team " + m.id}, {"slug", "team-" + m.id},
		{"owner_id", m.owner}, {"manager_id", m.owner},
	}
}

func (m member) columns() []column {
	return []column{{"team_id", m.team}, {"user_id", m.user}}
}

func (p project) columns() []column {
	return []column{
		{"id", p.id}, {"name", "Project " + p.id}, {"owner_type", p.ownerType},
		{"owner_id", p.ownerID}, {"team_id", p.teamID},
	}
}

func (m mission) columns() []column {
	return []column{
		{"id", m.id}, {"name", "Mission " + m.id},
		{"project_id", m.projectID}, {"user_id", m.userID},
	}
}

func (k task) columns() []column {
	return []column{
		{"id", k.id}, {"title", k.title}, {"description", k.description},
		{"status", k.status}, {"priority", k.priority},
		{"project_id", k.projectID}, {"mission_id", k.missionID},
		{"assignee", k.assignee}, {"tags", k.tags}, {"due_date", k.dueDate},
		{"metadata", k.metadata}, {"created_at", k.createdAt}, {"updated_at", k.updatedAt},
	}
}

func (n note) columns() []column {
	return []column{
		{"id", n.id}, {"mission_id", n.missionID}, {"task_id", n.taskID},
		{"user_id", n.userID}, {"status", n.status}, {"notes", n.notes},
		{"created_at", n.createdAt}, {"updated_at", n.updatedAt},
	}
}

func (i insight) columns() []column {
	return []column{
		{"id", i.id}, {"user_id", i.userID}, {"content", i.content},
		{"source", i.source}, {"category", i.category}, {"relevance_score", i.relevance},
		{"metadata", i.metadata}, {"created_at", i.createdAt}, {"updated_at", i.updatedAt},
	}
}

func (p preference) columns() []column {
	return []column{
		{"id", p.id}, {"user_id", p.userID}, {"key", p.key}, {"value", p.value},
		{"category", p.category}, {"source", p.source}, {"mutable", p.mutable},
		{"created_at", p.createdAt}, {"updated_at", p.updatedAt},
	}
}

// members returns what the wire contract promises of a row: its columns under
// their names on the wire. A name of "" keeps the column off the wire.
func members(r row, wire map[string]string) map[string]any {
	item := make(map[string]any)
	for _, c := range r.columns() {
		if name := wire[c.name]; name != "" {
			item[name] = plain(c.value)
		}
	}
	return item
}

func (k task) item() map[string]any {
	return members(k, map[string]string{
		"id": "id", "title": "title", "description": "description", "status": "status",
		"priority": "priority", "project_id": "projectId", "mission_id": "missionId",
		"assignee": "assignee", "tags": "tags", "due_date": "dueDate",
		"metadata": "metadata", "created_at": "createdAt", "updated_at": "updatedAt",
	})
}

func (n note) item() map[string]any {
	return members(n, map[string]string{
		"id": "id", "mission_id": "missionId", "task_id": "taskId", "status": "status",
		"notes": "content", "created_at": "createdAt", "updated_at": "updatedAt",
	})
}

func (i insight) item() map[string]any {
	item := members(i, map[string]string{
		"id": "id", "source": "kind", "content": "content", "category": "category",
		"relevance_score": "relevanceScore", "metadata": "metadata",
		"created_at": "createdAt", "updated_at": "updatedAt",
	})
	item["type"] = "insight"
	return item
}

func (p preference) item() map[string]any {
	item := members(p, map[string]string{
		"id": "id", "category": "kind", "key": "key", "value": "value", "source": "source",
		"mutable": "mutable", "created_at": "createdAt", "updated_at": "updatedAt",
	})
	item["type"] = "preference"
	return item
}
