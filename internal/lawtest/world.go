package lawtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is the content of one database, as typed rows.
type world struct {
	users       []user
	teams       []team
	members     []member
	projects    []project
	missions    []mission
	tasks       []task
	notes       []note
	insights    []insight
	preferences []preference
}

// userIDs look alike, or look like the syntax of something between the test and
// the table: an array literal, a JSON text, a pattern, a quoted string.
var userIDs = []string{
	"user-1", "USER-1", "user-1 ", "user_1", "user%", "o'brien", `quo"te`, `back\slash`,
	"{user,1}", "NULL", "[1]", "ü", "u\u0308", "日本", "$1", "?", "a,b",
}

// size says how many rows a random world has, about: as many tasks as rows, half
// as many of each kind of memory, and twice as many notes, since fewer of them
// show to anybody.
type size struct{ users, teams, projects, missions, rows int }

// small worlds have all kinds of rows and are loaded in a moment.
var small = size{users: 3, teams: 4, projects: 8, missions: 9, rows: 24}

// newWorld makes a random world. Projects carry stray owners of the kind that
// owner_type does not name, missions may have no project, tasks may have both a
// project and a mission or neither, notes may be null or empty.
func newWorld(r random, s size) *world {
	w := new(world)
	for _, i := range r.Perm(len(userIDs))[:s.users] {
		w.users = append(w.users, user{id: userIDs[i]})
	}
	for range s.teams {
		w.teams = append(w.teams, team{id: r.uuid(), owner: oneOf(r, w.users).id})
	}
	for _, k := range w.teams {
		for _, u := range someOf(r, w.users) {
			w.members = append(w.members, member{team: k.id, user: u.id})
		}
	}
	for range s.projects {
		w.projects = append(w.projects, w.newProject(r))
	}
	for range s.missions {
		m := mission{id: r.uuid(), userID: oneOf(r, w.users).id}
		if r.chance(90) {
			m.projectID = text(oneOf(r, w.projects).id)
		}
		w.missions = append(w.missions, m)
	}
	for range s.rows {
		w.tasks = append(w.tasks, w.newTask(r))
	}
	for range 2 * s.rows {
		w.notes = append(w.notes, w.newNote(r))
	}
	for range s.rows / 2 {
		w.insights = append(w.insights, w.newInsight(r))
		w.preferences = append(w.preferences, w.newPreference(r))
	}
	return w
}

func (w *world) newProject(r random) project {
	p := project{id: r.uuid()}
	asUser, asTeam := r.chance(50), r.chance(15)
	if asUser {
		p.ownerType = "user"
	} else {
		p.ownerType = "team"
	}
	if asUser || asTeam {
		p.ownerID = text(oneOf(r, w.users).id)
	}
	if !asUser || asTeam {
		p.teamID = text(oneOf(r, w.teams).id)
	}
	return p
}

func (w *world) newTask(r random) task {
	at := newTime(r)
	k := task{
		id: r.uuid(), title: newText(r), status: "not-started", priority: "medium",
		tags: newDocument(r), metadata: newDocument(r), createdAt: at, updatedAt: newTime(r),
	}
	if r.chance(60) {
		k.projectID = text(oneOf(r, w.projects).id)
	}
	if r.chance(50) {
		k.missionID = text(oneOf(r, w.missions).id)
	}
	if r.chance(50) {
		text, who, due := newText(r), oneOf(r, w.users).id, newTime(r)
		k.description, k.assignee, k.dueDate = &text, &who, &due
	}
	return k
}

func (w *world) newNote(r random) note {
	n := note{
		id: r.uuid(), missionID: oneOf(r, w.missions).id, userID: oneOf(r, w.users).id,
		status: "done", createdAt: newTime(r), updatedAt: newTime(r),
	}
	if r.chance(80) {
		text := oneOf(r, []string{"", "", " ", "a note", newText(r)})
		n.notes = &text
	}
	if r.chance(40) {
		n.taskID = text(oneOf(r, w.tasks).id)
	}
	return n
}

func (w *world) newInsight(r random) insight {
	return insight{
		id: r.uuid(), userID: oneOf(r, w.users).id, content: newText(r), source: "agent",
		category: "general", relevance: float64(r.IntN(9)) / 8, metadata: newDocument(r),
		createdAt: newTime(r), updatedAt: newTime(r),
	}
}

func (w *world) newPreference(r random) preference {
	p := preference{
		id: r.uuid(), userID: oneOf(r, w.users).id, key: "key-" + r.uuid(), category: "general",
		value:   oneOf(r, []document{`{"enabled": true}`, `3`, `"text"`, `false`, `[]`}),
		mutable: r.chance(50), createdAt: newTime(r), updatedAt: newTime(r),
	}
	if r.chance(50) {
		text := "user"
		p.source = &text
	}
	return p
}

// noon is when most rows of a random world are made.
var noon = time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)

// newTime returns one of few times, so that rows tie within a microsecond, a
// millisecond and a second, and sometimes one at the edge of what is exact.
func newTime(r random) time.Time {
	switch n := r.IntN(40); n {
	case 0:
		return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	case 1:
		return time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	case 2:
		return time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)
	case 3:
		return time.Unix(0, 0).UTC()
	}
	micro := oneOf(r, []time.Duration{0, 0, 0, 1, 2, 137, 999}) * time.Microsecond
	milli := oneOf(r, []time.Duration{0, 0, 1, 999}) * time.Millisecond
	second := oneOf(r, []time.Duration{0, 0, 0, 1, 60}) * time.Second
	return noon.Add(micro + milli + second)
}

// newText returns text that needs escaping somewhere.
func newText(r random) string {
	return fmt.Sprintf("%s %d", oneOf(r, []string{
		"plain", `quo"te`, "<b>&amp;", "line\nbreak", "\u2028", "é ✓ 𝄞", `\u0041`, "\x01", "%s",
	}), r.IntN(1000))
}

func newDocument(r random) document {
	return oneOf(r, []document{
		"", "{}", "[]", `["a", "b"]`, `{"k": [1, 2, {"x": null}]}`, `{"_source": "elsewhere"}`,
		`12345678901234567890`, `"<&>"`,
	})
}

// rows returns everything, owners before what they own.
func (w *world) rows() []row {
	var all []row
	all = appendRows(all, w.users)
	all = appendRows(all, w.teams)
	all = appendRows(all, w.members)
	all = appendRows(all, w.projects)
	all = appendRows(all, w.missions)
	all = appendRows(all, w.tasks)
	all = appendRows(all, w.notes)
	all = appendRows(all, w.insights)
	return appendRows(all, w.preferences)
}

func appendRows[R row](all []row, more []R) []row {
	for _, r := range more {
		all = append(all, r)
	}
	return all
}

// load replaces what the database holds by the world.
func (w *world) load(t *testing.T, db DB) {
	t.Helper()
	db.clear(t)
	db.insert(t, w.rows()...)
}

// clone returns a world whose lists may be changed without changing w.
func (w *world) clone() *world {
	return &world{
		users: slices.Clone(w.users), teams: slices.Clone(w.teams),
		members: slices.Clone(w.members), projects: slices.Clone(w.projects),
		missions: slices.Clone(w.missions), tasks: slices.Clone(w.tasks),
		notes: slices.Clone(w.notes), insights: slices.Clone(w.insights),
		preferences: slices.Clone(w.preferences),
	}
}

// teamsOf returns the ids of a user's teams.
func (w *world) teamsOf(user string) []string {
	var ids []string
	for _, m := range w.members {
		if m.user == user {
			ids = append(ids, m.team)
		}
	}
	slices.Sort(ids)
	return ids
}

// teamIDs returns the ids of all teams.
func (w *world) teamIDs() []string {
	var ids []string
	for _, k := range w.teams {
		ids = append(ids, k.id)
	}
	return ids
}

// text returns a pointer to its argument, for columns that may be null.
func text(s string) *string { return &s }

// spell names a filter's teams in a message.
func spell(ids []string) string { return "[" + strings.Join(ids, " ") + "]" }
