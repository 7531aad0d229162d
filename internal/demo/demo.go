// Package demo has the standard schema for Postgres and SQLite, and data to put
// into it: a small built-in world, or one that is read from a file.
//
// The demo data format is one JSON object with a member per table, whose rows are
// objects with the columns' names:
//
//	{"users": [{"id": "user-1", "name": "User 1", "email": "user-1@example.test"}], "teams": []}
//
// Ids of users are text and all others UUIDs. Times are RFC 3339 in UTC with up to
// six digits of a second. A table or a nullable member that is absent has no rows
// or is null; anything else that is missing, unknown, twice there, or of another
// type is an error that says where it stands.
package demo

import (
	_ "embed"
	"encoding/json"
	"strings"
	"time"
)

// Data is a world: the rows of every table, in the order of the tables' foreign
// keys. UUIDs are in lower case, times are in UTC and whole microseconds, JSON is
// compact, and a nil pointer or document is a null.
type Data struct {
	Users        []User
	Teams        []Team
	TeamMembers  []TeamMember
	Projects     []Project
	Missions     []Mission
	Tasks        []Task
	MissionTasks []MissionTask
	Insights     []Insight
	Preferences  []Preference
	Grants       []Grant
}

// User is who owns rows and whom a grant speaks for.
type User struct {
	ID    string
	Name  string
	Email string
}

// Team is a group of users.
type Team struct {
	ID        string
	Name      string
	Slug      string
	OwnerID   string
	ManagerID string
}

// TeamMember says that a user belongs to a team. Owner and manager of a team are
// no members by themselves.
type TeamMember struct {
	TeamID string
	UserID string
}

// Project belongs to the user OwnerID if OwnerType is "user" and to the team TeamID
// if it is "team", whatever the other one says.
type Project struct {
	ID        string
	Name      string
	OwnerType string
	OwnerID   *string
	TeamID    *string
}

// Mission is work on a project, or on none.
type Mission struct {
	ID        string
	Name      string
	ProjectID *string
	UserID    string
}

// Task is a row of the resource tasks.
type Task struct {
	ID          string
	Title       string
	Description *string
	Status      string
	Priority    string
	ProjectID   *string
	MissionID   *string
	Assignee    *string
	Tags        json.RawMessage
	DueDate     *time.Time
	Metadata    json.RawMessage
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// MissionTask is a user's work on a mission. With Notes that are not empty it is a
// row of the resource notes.
type MissionTask struct {
	ID        string
	MissionID string
	TaskID    *string
	UserID    string
	Status    string
	Notes     *string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Insight is a row of the first block of the resource memory.
type Insight struct {
	ID             string
	UserID         string
	Content        string
	Source         string
	Category       string
	RelevanceScore float64
	Metadata       json.RawMessage
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Preference is a row of the second block of the resource memory. Value is never
// nil; a JSON null is a value.
type Preference struct {
	ID        string
	UserID    string
	Key       string
	Value     json.RawMessage
	Category  string
	Source    *string
	Mutable   bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Grant is what a peer was given. Scope is kept as it was written, valid or not.
// Token is a bearer token for the demo gateway alone.
type Grant struct {
	ID            string
	PeerID        string
	SubjectUserID string
	Scope         json.RawMessage
	Status        string
	Token         string
}

//go:embed builtin.json
var builtIn string

// BuiltIn returns the built-in world: 4 users, 4 teams, and rows that tie within a
// microsecond, a millisecond and a second. The caller owns it.
func BuiltIn() Data {
	data, err := Parse(strings.NewReader(builtIn))
	if err != nil {
		panic(err) // the file is part of the program and tested
	}
	return data
}
