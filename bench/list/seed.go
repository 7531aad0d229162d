package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/mosaicstack/fedkit/listquery"
)

// The lists of the gateway that fedkit replaces: the projects and missions that show are
// looked up by statements of their own and come back as one argument each, and the
// cursor is a chain of OR and AND. What it rounds, sorts and drops afterwards is left
// out: here it returns the right rows.

// bound collects the arguments of a statement.
type bound struct{ args []any }

// one adds an argument and returns what stands for it.
func (b *bound) one(value any) string {
	b.args = append(b.args, value)
	return fmt.Sprintf("$%d", len(b.args))
}

// list adds an argument for each value.
func (b *bound) list(values []string) string {
	places := make([]string, len(values))
	for i, v := range values {
		places[i] = b.one(v)
	}
	return "(" + strings.Join(places, ", ") + ")"
}

// behind adds the cursor to a condition.
func (b *bound) behind(after *key) string {
	if after == nil {
		return ""
	}
	return " AND (created_at < " + b.one(after.created) +
		" OR (created_at = " + b.one(after.created) + " AND id < " + b.one(after.id) + "))"
}

func seedProjects(ctx context.Context, p *place, q request) ([]string, error) {
	var b bound
	where := "(owner_type = 'user' AND owner_id = " + b.one(q.subject) + ")"
	if len(q.teams) > 0 {
		where += " OR (owner_type = 'team' AND team_id IN " + b.list(q.teams) + ")"
	}
	return p.strings(ctx, "SELECT id FROM projects WHERE "+where, b.args...)
}

func seedMissions(ctx context.Context, p *place, projects []string) ([]string, error) {
	if len(projects) == 0 {
		return nil, nil
	}
	var b bound
	where := "project_id IN " + b.list(projects)
	return p.strings(ctx, "SELECT id FROM missions WHERE "+where, b.args...)
}

func seedTasks(ctx context.Context, p *place, r resource, q request) (any, error) {
	projects, err := seedProjects(ctx, p, q)
	if err != nil {
		return nil, err
	}
	missions, err := seedMissions(ctx, p, projects)
	if err != nil || len(projects) == 0 {
		return []listquery.Task(nil), err
	}
	var b bound
	where := "project_id IN " + b.list(projects)
	if len(missions) > 0 {
		where = "(" + where + " OR mission_id IN " + b.list(missions) + ")"
	}
	return b.page(ctx, p, r, where, q.after)
}

func seedNotes(ctx context.Context, p *place, r resource, q request) (any, error) {
	projects, err := seedProjects(ctx, p, q)
	if err != nil {
		return nil, err
	}
	missions, err := seedMissions(ctx, p, projects)
	if err != nil || len(missions) == 0 {
		return []listquery.Note(nil), err
	}
	var b bound
	where := "user_id = " + b.one(q.subject) + " AND mission_id IN " + b.list(missions) + " AND notes IS NOT NULL"
	return b.page(ctx, p, r, where, q.after)
}

func seedDocuments(ctx context.Context, p *place, r resource, q request) (any, error) {
	var b bound
	where := "(owner_id = " + b.one(q.subject)
	if len(q.teams) > 0 {
		where += " OR team_id IN " + b.list(q.teams)
	}
	return b.page(ctx, p, r, where+")", q.after)
}

// page reads the rows that a condition is about.
func (b *bound) page(ctx context.Context, p *place, r resource, where string, after *key) (any, error) {
	text := "SELECT " + r.columns + " FROM " + r.from + " WHERE " + where + b.behind(after) + newest + " LIMIT " + b.one(pageRows+1)
	rows, err := p.query(ctx, text, b.args...)
	if err != nil {
		return nil, err
	}
	return r.read(rows)
}

// seedMemory asks for preferences if the insights do not fill the page.
func seedMemory(ctx context.Context, p *place, r resource, q request) (any, error) {
	var items []listquery.MemoryItem
	for block, table := range []string{insightRows, preferenceRows} {
		after := q.after
		switch left := pageRows + 1 - len(items); {
		case after != nil && after.block > block || left <= 0:
			continue
		case after != nil && after.block < block:
			after = nil
		}
		var b bound
		where := " WHERE user_id = " + b.one(q.subject) + b.behind(after)
		text := "SELECT " + memoryColumns + " FROM (" + table + where + newest + " LIMIT " + b.one(pageRows+1-len(items)) + ") AS t"
		rows, err := p.query(ctx, text, b.args...)
		if err != nil {
			return nil, err
		}
		page, err := r.read(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, page.([]listquery.MemoryItem)...)
	}
	return items, nil
}
