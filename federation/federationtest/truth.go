package federationtest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// resources are those of the standard schema.
var resources = []string{"tasks", "notes", "memory"}

// A row is what a gateway has to show of one row of the fixture, beside its _source.
type row struct {
	id      string
	block   int // rows of a lower block come first
	at      time.Time
	members map[string]any
}

// shown returns the rows of a resource that a grant shows, in their order. It goes
// through all rows, one by one, by the rules of the standard schema: P are the projects of
// the subject, if personal rows are allowed, and those of the allowed teams; M are the
// missions of P.
func (f *fixture) shown(token, resource string) []row {
	g := f.grant(token)
	v := f.view(g, resource)
	var rows []row
	switch resource {
	case "tasks":
		for _, t := range f.Tasks {
			if v.project(t["project_id"]) || v.mission(t["mission_id"]) {
				rows = append(rows, taskColumns.row(t, 0))
			}
		}
	case "notes":
		for _, n := range f.Notes {
			if text, _ := n["notes"].(string); text != "" && n["user_id"] == g.Subject && v.mission(n["mission_id"]) {
				rows = append(rows, noteColumns.row(n, 0))
			}
		}
	case "memory":
		for _, i := range f.Insights {
			if v.personal && i["user_id"] == g.Subject {
				rows = append(rows, insightColumns.row(i, 0))
			}
		}
		for _, p := range f.Preferences {
			if v.personal && p["user_id"] == g.Subject {
				rows = append(rows, preferenceColumns.row(p, 1))
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.block, b.block), b.at.Compare(a.at), strings.Compare(b.id, a.id))
	})
	return rows
}

// hidden returns the ids of rows of a resource that a grant does not show, empty notes
// included.
func (f *fixture) hidden(token, resource string) []string {
	all := map[string][]map[string]any{"tasks": f.Tasks, "notes": f.Notes, "memory": slices.Concat(f.Insights, f.Preferences)}
	shown := map[string]bool{}
	for _, r := range f.shown(token, resource) {
		shown[r.id] = true
	}
	var ids []string
	for _, r := range all[resource] {
		if id := r["id"].(string); !shown[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// A view is what a grant and the subject's own access leave of a resource.
type view struct {
	*fixture
	subject  string
	personal bool
	teams    []string
}

func (f *fixture) view(g grant, resource string) view {
	v := view{fixture: f, subject: g.Subject, personal: true}
	filter := g.Scope.Filters[resource]
	if filter.Personal != nil {
		v.personal = *filter.Personal
	}
	for _, m := range f.TeamMembers {
		if m.UserID == g.Subject && (filter.Teams == nil || slices.Contains(*filter.Teams, m.TeamID)) {
			v.teams = append(v.teams, m.TeamID)
		}
	}
	return v
}

// project tells if a project is one of P: by the owner of its owner_type, whatever the
// other column holds.
func (v view) project(id any) bool {
	for _, p := range v.Projects {
		switch {
		case p.ID != id:
		case p.OwnerType == "user":
			return v.personal && p.OwnerID != nil && *p.OwnerID == v.subject
		case p.OwnerType == "team":
			return p.TeamID != nil && slices.Contains(v.teams, *p.TeamID)
		}
	}
	return false
}

// mission tells if a mission is one of M.
func (v view) mission(id any) bool {
	for _, m := range v.Missions {
		if m.ID == id && m.ProjectID != nil {
			return v.project(*m.ProjectID)
		}
	}
	return false
}

// columns says which column of a table each member of a row is.
type columns map[string]string

var (
	taskColumns = columns{
		"id": "id", "title": "title", "description": "description", "status": "status", "priority": "priority", "projectId": "project_id", "missionId": "mission_id",
		"assignee": "assignee", "tags": "tags", "dueDate": "due_date", "metadata": "metadata", "createdAt": "created_at", "updatedAt": "updated_at",
	}
	noteColumns = columns{
		"id": "id", "missionId": "mission_id", "taskId": "task_id", "status": "status", "content": "notes", "createdAt": "created_at", "updatedAt": "updated_at",
	}
	insightColumns = columns{
		"type": "insight", "id": "id", "kind": "source", "content": "content", "category": "category", "relevanceScore": "relevance_score",
		"metadata": "metadata", "createdAt": "created_at", "updatedAt": "updated_at",
	}
	preferenceColumns = columns{
		"type": "preference", "id": "id", "kind": "category", "key": "key", "value": "value", "source": "source", "mutable": "mutable",
		"createdAt": "created_at", "updatedAt": "updated_at",
	}
)

// row renders a row of a table. The type of a memory item is no column.
func (c columns) row(of map[string]any, block int) row {
	r := row{id: of["id"].(string), block: block, members: map[string]any{}}
	r.at, _ = moment(of["created_at"])
	for member, column := range c {
		r.members[member] = of[column]
		if member == "type" {
			r.members[member] = column
		}
	}
	return r
}
