package lawtest

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// noDatabase fails every statement.
type noDatabase struct{}

func (noDatabase) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.New("lawtest: there is no database here")
}

// schemaTrials are law 1 under names and rules that a host chose.
func schemaTrials(t *testing.T, open Open) {
	trials := []trial{
		{"may rename every table and column", renamedSchema},
		{"may show tasks through their project only", strictTasks},
		{"may ask in the statement itself who is in a team", membersOnly},
	}
	if open(t).Dialect == listquery.Postgres {
		trials = append(trials, trial{"may lie in a schema of Postgres", insideSchema})
	}
	run(t, open, trials)
}

// renames maps every table that listquery reads, and columns of them, to names
// that must be quoted: reserved words and capitals.
var renames = []struct {
	table, to string
	columns   map[string]string
	into      func(*listquery.Schema) *listquery.Table
}{
	{"tasks", "order", map[string]string{"created_at": "select", "id": "Id", "project_id": "project"}, func(s *listquery.Schema) *listquery.Table { return &s.Tasks }},
	{"missions", "Missions_of_All", map[string]string{"id": "from", "project_id": "where"}, func(s *listquery.Schema) *listquery.Table { return &s.Missions }},
	{"projects", "Works", map[string]string{"owner_type": "group", "owner_id": "user", "team_id": "table", "id": "primary"}, func(s *listquery.Schema) *listquery.Table { return &s.Projects }},
	{"mission_tasks", "notes", map[string]string{"notes": "Content", "user_id": "author", "mission_id": "IdOfMission"}, func(s *listquery.Schema) *listquery.Table { return &s.MissionTasks }},
	{"insights", "Insight", map[string]string{"user_id": "UserID", "created_at": "createdAt", "source": "kind"}, func(s *listquery.Schema) *listquery.Table { return &s.Insights }},
	{"preferences", "prefs", map[string]string{"id": "uuid", "value": "values", "key": "check"}, func(s *listquery.Schema) *listquery.Table { return &s.Preferences }},
	{"team_members", "union", map[string]string{"team_id": "limit", "user_id": "offset"}, func(s *listquery.Schema) *listquery.Table { return &s.TeamMembers }},
}

func renamedSchema(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	var schema listquery.Schema
	for _, n := range renames {
		for from, to := range n.columns {
			db.exec(t, `ALTER TABLE `+n.table+` RENAME COLUMN "`+from+`" TO "`+to+`"`)
		}
		db.exec(t, `ALTER TABLE `+n.table+` RENAME TO "`+n.to+`"`)
		*n.into(&schema) = listquery.Table{Name: n.to, Columns: n.columns}
	}
	checkSchema(t, db, r, w, schema)
}

// checkSchema is law 1 and native access under the names of a schema.
func checkSchema(t *testing.T, db DB, r random, w *world, schema listquery.Schema) {
	t.Helper()
	s := db.storeOn(t, db.SQL, schema)
	for _, resource := range resources {
		for range 2 {
			f := randomFilter(r, w, resource)
			comparePages(t, s, f, oracle{world: w, throughProjectOnly: schema.TasksThroughProjectOnly}.list(f))
		}
	}
	for _, u := range w.users {
		access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "g", Subject: u.id, Resource: "notes"})
		if err != nil || len(access.Teams) != len(w.teamsOf(u.id)) {
			t.Errorf("native access of %q: %+v, %v; the teams are %s", u.id, access, err, spell(w.teamsOf(u.id)))
		}
	}
}

// insideSchema moves every table into another Postgres schema.
func insideSchema(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	name := "Law_" + r.uuid()[:8]
	db.exec(t, `CREATE SCHEMA "`+name+`"`)
	t.Cleanup(func() { db.exec(t, `DROP SCHEMA "`+name+`" CASCADE`) })
	for _, table := range tables {
		db.exec(t, `ALTER TABLE `+table+` SET SCHEMA "`+name+`"`)
	}
	checkSchema(t, db, r, w, listquery.Schema{}.In(name))
}

// strictTasks compares both rules for tasks with the oracle, and expects the
// stricter one to show less.
func strictTasks(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	strict := listquery.Schema{TasksThroughProjectOnly: true}
	fewer := 0
	play(t, 2, func() bool { return fewer > 0 }, func() {
		w := newWorld(r, small)
		w.load(t, db)
		s := db.storeOn(t, db.SQL, strict)
		for range 5 {
			f := randomFilter(r, w, "tasks")
			want := oracle{world: w, throughProjectOnly: true}.list(f)
			comparePages(t, s, f, want)
			if len(want) < len(oracle{world: w}.list(f)) {
				fewer++
			}
		}
	})
}

// membersOnly lists by filters with teams that the subject is not in, as they are
// after the subject left them. Such a team must show nothing.
func membersOnly(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	fewer := 0
	play(t, 2, func() bool { return fewer > 0 }, func() {
		w := newWorld(r, small)
		w.load(t, db)
		s := db.storeOn(t, db.SQL, listquery.Schema{TeamsOfMembersOnly: true})
		for _, resource := range resources {
			f := randomFilter(r, w, resource)
			mine := f
			mine.Teams = slices.DeleteFunc(slices.Clone(f.Teams), func(id string) bool {
				return !slices.Contains(w.teamsOf(f.Subject), id)
			})
			want := oracle{world: w}.list(mine)
			comparePages(t, s, f, want)
			fewer += len(oracle{world: w}.list(f)) - len(want)
		}
	})
}
