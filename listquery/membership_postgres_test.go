package listquery_test

import (
	"database/sql"
	"testing"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

const (
	team    = "00000000-0000-4000-8000-00000000000a"
	project = "00000000-0000-4000-8000-00000000000b"
)

// teamWithATask is a database in which user-1 is in a team that owns one task.
func teamWithATask(t *testing.T) *sql.DB {
	t.Helper()
	db := pgtest.Open(t)
	for _, statement := range demo.DDL(demo.Postgres, "") {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	run(t, db, `
		INSERT INTO users VALUES ('user-1', 'User', 'user-1@example.test');
		INSERT INTO teams VALUES ('`+team+`', 'Team', 'team', 'user-1', 'user-1');
		INSERT INTO team_members VALUES ('`+team+`', 'user-1');
		INSERT INTO projects VALUES ('`+project+`', 'Project', 'team', NULL, '`+team+`')`)
	addTask(t, db, "before")
	return db
}

func addTask(t *testing.T, db *sql.DB, title string) {
	t.Helper()
	run(t, db, `INSERT INTO tasks (id, title, status, priority, project_id, created_at, updated_at)
		VALUES (md5('`+title+`')::uuid, '`+title+`', 'open', 'high', '`+project+`', now(), now())`)
}

func run(t *testing.T, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// P is a request, Q the team:
//
//	P                          Q
//	looks up its teams
//	                           drops the member
//	                           gets a task
//	lists with those teams
//
// The subject could never see the task.
func TestWhoLeavesATeamBeforeThePageSeesNothingOfIt(t *testing.T) {
	t.Parallel()
	db := teamWithATask(t)
	schema := listquery.Schema{TeamsOfMembersOnly: true}
	tasks, err := listquery.Tasks(schema)
	if err != nil {
		t.Fatal(err)
	}
	store, err := listquery.NewStore(db, listquery.Config{
		Dialect: listquery.Postgres, Resources: []listquery.AnyResource{tasks}, Schema: schema,
	})
	if err != nil {
		t.Fatal(err)
	}
	list := func(teams []string) []listquery.Task {
		t.Helper()
		f := scope.Filter{Resource: "tasks", Subject: "user-1", Teams: teams, Limit: 10}
		page, err := tasks.List(t.Context(), store, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		return page.Items
	}

	access, err := store.ReadAccess(t.Context(), scope.AccessRequest{Subject: "user-1", Resource: "tasks"})
	if err != nil {
		t.Fatal(err)
	}
	if items := list(access.Teams); len(items) != 1 {
		t.Fatalf("a member sees %d tasks of the team %v, want 1", len(items), access.Teams)
	}
	run(t, db, "DELETE FROM team_members")
	addTask(t, db, "after")
	if items := list(access.Teams); len(items) != 0 {
		t.Errorf("who has left the team sees %+v", items)
	}
}
