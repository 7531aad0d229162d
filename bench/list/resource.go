package main

import (
	"context"
	"database/sql"
	"strings"

	"github.com/lib/pq"
)

// A resource is what is listed, in the words of all contenders.
type resource struct {
	name    string
	from    string   // what stands behind FROM
	blocks  []string // the same for each table, if there are several
	columns string
	keys    []string // of the order, newest first but for the block of memory
	visible string   // the condition on rows; $1 is the subject and $2 the teams
	read    func(*sql.Rows) (any, error)

	fedkit func(catalog) lister
	seed   func(context.Context, *place, resource, request) (any, error)
	gorm   func(context.Context, *place, resource, request) (any, error)
}

const newest = " ORDER BY created_at DESC, id DESC"

// ownProjects is the condition on projects that show.
const ownProjects = "(owner_type = 'user' AND owner_id = $1 OR owner_type = 'team' AND team_id = ANY($2))"

var tasks = resource{
	name:   "tasks",
	from:   "tasks",
	blocks: []string{"tasks"},
	columns: "id, title, description, status, priority, project_id, mission_id, assignee, tags, due_date, metadata, " +
		"created_at, updated_at",
	keys: []string{"created_at", "id"},
	visible: "(project_id IN (SELECT id FROM projects WHERE " + ownProjects + ")" +
		" OR mission_id IN (SELECT m.id FROM missions m JOIN projects p ON p.id = m.project_id WHERE " + ownProjects + "))",
	read:   func(rows *sql.Rows) (any, error) { return readRows(rows, taskTargets) },
	fedkit: func(c catalog) lister { return listerOf(c.tasks) },
	seed:   seedTasks,
	gorm:   gormTasks,
}

var notes = resource{
	name:    "notes",
	from:    "mission_tasks",
	blocks:  []string{"mission_tasks"},
	columns: "id, mission_id, task_id, status, notes, created_at, updated_at",
	keys:    []string{"created_at", "id"},
	visible: "user_id = $1 AND notes <> '' AND mission_id IN" +
		" (SELECT m.id FROM missions m JOIN projects p ON p.id = m.project_id WHERE " + ownProjects + ")",
	read:   func(rows *sql.Rows) (any, error) { return readRows(rows, noteTargets) },
	fedkit: func(c catalog) lister { return listerOf(c.notes) },
	seed:   seedNotes,
	gorm:   gormNotes,
}

// memory has two tables, one listed behind the other.
var memory = resource{
	name:    "memory",
	from:    "(" + insightRows + " UNION ALL " + preferenceRows + ") AS memory",
	blocks:  []string{"(" + insightRows + ") AS insights", "(" + preferenceRows + ") AS preferences"},
	columns: memoryColumns,
	keys:    []string{"block", "created_at", "id"},
	visible: "user_id = $1",
	read:    func(rows *sql.Rows) (any, error) { return readRows(rows, memoryTargets) },
	fedkit:  func(c catalog) lister { return listerOf(c.memory) },
	seed:    seedMemory,
	gorm:    gormMemory,
}

const (
	memoryColumns = "block, id, kind, content, category, relevance_score, metadata, key, value, source, mutable, created_at, updated_at"

	insightRows = "SELECT 0 AS block, id, source AS kind, content, category, relevance_score, metadata, NULL::text AS key, " +
		"NULL::jsonb AS value, NULL::text AS source, NULL::boolean AS mutable, created_at, updated_at, user_id FROM insights"

	preferenceRows = "SELECT 1 AS block, id, category AS kind, NULL::text AS content, NULL::text AS category, " +
		"NULL::double precision AS relevance_score, NULL::jsonb AS metadata, key, value, source, mutable, created_at, updated_at, " +
		"user_id FROM preferences"
)

var userDefined = resource{
	name:    "documents",
	from:    "documents",
	blocks:  []string{"documents"},
	columns: "id, title, body, owner_id, team_id, created_at",
	keys:    []string{"created_at", "id"},
	visible: "(owner_id = $1 OR team_id = ANY($2))",
	read:    func(rows *sql.Rows) (any, error) { return readRows(rows, documentTargets) },
	fedkit:  func(c catalog) lister { return listerOf(c.documents) },
	seed:    seedDocuments,
	gorm:    gormDocuments,
}

// selection is a SELECT of rows that show, in their order.
func (r resource) selection(columns string) string {
	return "SELECT " + columns + " FROM " + r.from + " WHERE " + r.visible + r.order()
}

func (r resource) order() string {
	order := newest
	if len(r.keys) > 2 {
		order = " ORDER BY " + r.keys[0] + ", created_at DESC, id DESC"
	}
	return order
}

// arguments are those of the condition visible.
func (r resource) arguments(q request) []any {
	args := []any{q.subject}
	if strings.Contains(r.visible, "$2") {
		args = append(args, pq.StringArray(q.teams))
	}
	return args
}
