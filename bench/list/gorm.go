package main

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
)

// What a user of gorm would write: models, and a keyset by row values over subqueries.

type gormTask struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Description *string         `json:"description"`
	Status      string          `json:"status"`
	Priority    string          `json:"priority"`
	ProjectID   *string         `json:"projectId"`
	MissionID   *string         `json:"missionId"`
	Assignee    *string         `json:"assignee"`
	Tags        json.RawMessage `json:"tags"`
	DueDate     *time.Time      `json:"dueDate"`
	Metadata    json.RawMessage `json:"metadata"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

func (gormTask) TableName() string { return "tasks" }

type gormNote struct {
	ID        string    `json:"id"`
	MissionID *string   `json:"missionId"`
	TaskID    *string   `json:"taskId"`
	Status    string    `json:"status"`
	Notes     string    `json:"content"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func (gormNote) TableName() string { return "mission_tasks" }

type gormDocument struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	OwnerID   *string   `json:"ownerId"`
	TeamID    *string   `json:"teamId"`
	CreatedAt time.Time `json:"createdAt"`
}

func (gormDocument) TableName() string { return "documents" }

type gormInsight struct {
	Type           string          `json:"type" gorm:"-"`
	ID             string          `json:"id"`
	Source         string          `json:"kind"`
	Content        string          `json:"content"`
	Category       string          `json:"category"`
	RelevanceScore float64         `json:"relevanceScore"`
	Metadata       json.RawMessage `json:"metadata"`
	CreatedAt      time.Time       `json:"createdAt"`
	UpdatedAt      time.Time       `json:"updatedAt"`
}

func (gormInsight) TableName() string { return "insights" }

type gormPreference struct {
	Type      string          `json:"type" gorm:"-"`
	ID        string          `json:"id"`
	Category  string          `json:"kind"`
	Key       string          `json:"key"`
	Value     json.RawMessage `json:"value"`
	Source    *string         `json:"source"`
	Mutable   bool            `json:"mutable"`
	CreatedAt time.Time       `json:"createdAt"`
	UpdatedAt time.Time       `json:"updatedAt"`
}

func (gormPreference) TableName() string { return "preferences" }

func gormProjects(db *gorm.DB, q request) *gorm.DB {
	return db.Table("projects").Select("id").
		Where("owner_type = 'user' AND owner_id = ?", q.subject).
		Or("owner_type = 'team' AND team_id IN ?", q.teams)
}

func gormMissions(db *gorm.DB, q request) *gorm.DB {
	return db.Table("missions").Select("id").Where("project_id IN (?)", gormProjects(db, q))
}

// gormPage reads a page of one table.
func gormPage[T any](query *gorm.DB, after *key, limit int) ([]T, error) {
	if after != nil {
		query = query.Where("(created_at, id) < (?, ?)", after.created, after.id)
	}
	var page []T
	err := query.Order("created_at DESC, id DESC").Limit(limit).Find(&page).Error
	return page, err
}

func gormTasks(ctx context.Context, p *place, _ resource, q request) (any, error) {
	db := p.gorm.WithContext(ctx)
	query := db.Where("project_id IN (?) OR mission_id IN (?)", gormProjects(db, q), gormMissions(db, q))
	return gormPage[gormTask](query, q.after, pageRows+1)
}

func gormNotes(ctx context.Context, p *place, _ resource, q request) (any, error) {
	db := p.gorm.WithContext(ctx)
	query := db.Where("user_id = ? AND notes <> '' AND mission_id IN (?)", q.subject, gormMissions(db, q))
	return gormPage[gormNote](query, q.after, pageRows+1)
}

func gormDocuments(ctx context.Context, p *place, _ resource, q request) (any, error) {
	query := p.gorm.WithContext(ctx).Where("owner_id = ? OR team_id IN ?", q.subject, q.teams)
	return gormPage[gormDocument](query, q.after, pageRows+1)
}

// A gormItems is a page of memory: insights, and preferences behind them.
type gormItems struct {
	insights    []gormInsight
	preferences []gormPreference
}

// MarshalJSON makes one list of the two.
func (g gormItems) MarshalJSON() ([]byte, error) {
	items := make([]any, 0, pageRows+1)
	for _, i := range g.insights {
		i.Type = "insight"
		items = append(items, i)
	}
	for _, p := range g.preferences {
		p.Type = "preference"
		items = append(items, p)
	}
	return json.Marshal(items)
}

func gormMemory(ctx context.Context, p *place, _ resource, q request) (any, error) {
	var items gormItems
	var err error
	after := q.after
	if after == nil || after.block == 0 {
		mine := p.gorm.WithContext(ctx).Where("user_id = ?", q.subject)
		if items.insights, err = gormPage[gormInsight](mine, after, pageRows+1); err != nil {
			return nil, err
		}
		after = nil
	}
	if left := pageRows + 1 - len(items.insights); left > 0 {
		mine := p.gorm.WithContext(ctx).Where("user_id = ?", q.subject)
		items.preferences, err = gormPage[gormPreference](mine, after, left)
	}
	return items, err
}
