package listquery

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// standardDatabase is the standard schema without data, and its store.
func standardDatabase(t *testing.T, schema Schema) (*sql.DB, *Store) {
	t.Helper()
	db := pgtest.Open(t)
	for _, statement := range demo.DDL(demo.Postgres, "") {
		execute(t, db, statement)
	}
	resources, err := Standard(schema)
	if err != nil {
		t.Fatal(err)
	}
	return db, storeWith(t, db, Config{Schema: schema}, resources...)
}

// lacking is what Check misses.
func lacking(t *testing.T, s *Store) []Missing {
	t.Helper()
	err := s.Check(t.Context())
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		t.Fatalf("the database cannot be checked: %v", err)
	}
	if missing == nil {
		return nil
	}
	for _, m := range missing.Missing {
		if !strings.Contains(err.Error(), m.Text) {
			t.Errorf("the error does not say that %s is missing: %v", m.Text, err)
		}
	}
	return missing.Missing
}

func TestTheStandardSchemaLacksNothing(t *testing.T) {
	t.Parallel()
	for _, schema := range []Schema{{}, {TasksThroughProjectOnly: true, TeamsOfMembersOnly: true}} {
		if _, s := standardDatabase(t, schema); len(lacking(t, s)) > 0 {
			t.Errorf("Check misses %+v", lacking(t, s))
		}
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]Missing{
		"DROP TABLE preferences":                                     {Table: "preferences"},
		"ALTER TABLE tasks DROP COLUMN assignee":                     {Table: "tasks", Column: "assignee"},
		"ALTER TABLE projects DROP COLUMN owner_type":                {Table: "projects", Column: "owner_type"},
		"ALTER TABLE team_members DROP COLUMN team_id":               {Table: "team_members", Column: "team_id"},
		"ALTER TABLE tasks ALTER created_at DROP NOT NULL":           {Table: "tasks", Column: "created_at"},
		"DROP INDEX tasks_newest":                                    {Table: "tasks", Index: `("created_at" DESC, "id" DESC)`},
		"DROP INDEX tasks_of_mission":                                {Table: "tasks", Index: `("mission_id", "created_at" DESC, "id" DESC)`},
		"DROP INDEX projects_of_team":                                {Table: "projects", Index: `("team_id", "id") WHERE "owner_type" = 'team'`},
		"DROP INDEX team_members_of_user":                            {Table: "team_members", Index: `("user_id", "team_id")`},
		"DROP INDEX mission_tasks_of_mission":                        {Table: "mission_tasks", Index: `"mission_id", "user_id", "created_at"`},
		"ALTER TABLE missions DROP CONSTRAINT missions_pkey CASCADE": {Table: "missions"},
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db, s := standardDatabase(t, Schema{})
			execute(t, db, change)
			got := lacking(t, s)
			if len(got) != 1 || got[0].Table != want.Table || got[0].Column != want.Column || !strings.Contains(got[0].Index, want.Index) {
				t.Errorf("Check misses %+v, want %+v alone", got, want)
			}
		})
	}
}

func TestAKeyThatIsReadAsTextIsText(t *testing.T) {
	t.Parallel()
	type named struct{ ID string }
	for kind, sound := range map[string]bool{
		"text": true, "varchar(40)": true, "char(9)": true, "name": true, "name_of_thing": true,
		"uuid": false, "integer": false, "color": false, "timestamptz": false,
	} {
		db := pgtest.Open(t)
		execute(t, db, "CREATE TYPE color AS ENUM ('red'); CREATE DOMAIN name_of_thing AS text; CREATE TABLE things (id "+kind+" PRIMARY KEY, owner text); CREATE INDEX ON things (owner, id); CREATE INDEX ON things (id) INCLUDE (owner)")
		r, err := Define(Definition[named]{
			Name: "things", Table: "things", Key: "id", Visible: Personal("owner"),
			Columns: []Column[named]{Col("id", func(n *named) *string { return &n.ID })},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := lacking(t, storeWith(t, db, Config{}, r))
		if sound != (len(got) == 0) || !sound && (len(got) != 1 || got[0].Column != "id") {
			t.Errorf("Check misses %+v of a key of the type %s that is read as text", got, kind)
		}
	}
}

// Postgres has no NOT NULL for the columns of one.
func TestAMaterializedViewLacksIndexesAlone(t *testing.T) {
	t.Parallel()
	db, r, _ := ownThings(t, nil)
	execute(t, db, "ALTER TABLE things RENAME TO stored; CREATE MATERIALIZED VIEW things AS SELECT * FROM stored; CREATE UNIQUE INDEX ON things (id)")
	s := storeWith(t, db, Config{}, r)
	for _, m := range lacking(t, s) {
		if m.Index == "" {
			t.Errorf("Check misses %+v of a materialized view", m)
		}
	}
	createIndexes(t, db, r)
	if got := lacking(t, s); len(got) > 0 {
		t.Errorf("Check misses %+v of a materialized view with indexes", got)
	}
}

func TestCheckNamesAllThatIsMissingAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	tables := make(map[string]bool)
	for _, m := range lacking(t, storeWith(t, db, Config{}, resources...)) {
		tables[m.Table] = true
	}
	if len(tables) != 7 {
		t.Errorf("Check misses the tables %v in an empty database, want all seven", tables)
	}
}

// Each entry replaces the index tasks_of_project.
func TestAnIndexServesByItsColumns(t *testing.T) {
	t.Parallel()
	for index, serves := range map[string]bool{
		"(project_id, created_at, id)":                                        true, // read backwards
		"(project_id, created_at DESC, id DESC, title)":                       true,
		"(project_id DESC, created_at DESC, id DESC)":                         true,
		"(project_id, created_at DESC, id DESC) INCLUDE (title)":              true,
		"(project_id, created_at)":                                            false,
		"(project_id)":                                                        false,
		"(created_at DESC, id DESC, project_id)":                              false,
		"(project_id, created_at DESC, id)":                                   false,
		"(project_id, title, created_at DESC, id DESC)":                       false,
		"(project_id, created_at DESC NULLS LAST, id DESC NULLS LAST)":        false,
		"(project_id, created_at DESC) INCLUDE (id)":                          false,
		"((project_id::text), created_at DESC, id DESC)":                      false,
		"USING brin (project_id, created_at, id)":                             false,
		"(project_id, created_at DESC, id DESC) WHERE status = 'open'":        false,
		"(project_id, created_at DESC, id DESC) WHERE project_id IS NOT NULL": false,
	} {
		t.Run(index, func(t *testing.T) {
			t.Parallel()
			db, s := standardDatabase(t, Schema{})
			execute(t, db, "DROP INDEX tasks_of_project; CREATE INDEX another ON tasks "+index)
			if got := lacking(t, s); (len(got) == 0) != serves {
				t.Errorf("the index serves: %v; Check misses %+v", serves, got)
			}
		})
	}
}

func TestAPartialIndexServesIfItsConditionIsTheStatements(t *testing.T) {
	t.Parallel()
	for index, serves := range map[string]bool{
		"projects_of_user ON projects (owner_id) WHERE owner_type = 'user'":                                    true,
		"projects_of_user ON projects (owner_id)":                                                              true,
		"projects_of_user ON projects (owner_type, owner_id)":                                                  true,
		"projects_of_user ON projects (owner_id) WHERE owner_type = 'team'":                                    false,
		"projects_of_user ON projects (owner_id) WHERE owner_type = 'user' AND name > ''":                      false,
		"mission_tasks_of_mission ON mission_tasks (user_id, mission_id, created_at, id) WHERE notes <> ''":    true,
		"mission_tasks_of_mission ON mission_tasks (mission_id, user_id, created_at, id) WHERE notes <> 'x'":   false,
		"mission_tasks_of_mission ON mission_tasks (mission_id, created_at DESC, id DESC) WHERE (notes) <> ''": false,
	} {
		t.Run(index, func(t *testing.T) {
			t.Parallel()
			db, s := standardDatabase(t, Schema{})
			name, _, _ := strings.Cut(index, " ")
			execute(t, db, "DROP INDEX "+name+"; CREATE INDEX "+index)
			if got := lacking(t, s); (len(got) == 0) != serves {
				t.Errorf("the index serves: %v; Check misses %+v", serves, got)
			}
		})
	}
}

func TestAnIndexThatIsNotValidServesNobody(t *testing.T) {
	t.Parallel()
	db, s := standardDatabase(t, Schema{})
	execute(t, db, `DROP INDEX insights_of_user; INSERT INTO users VALUES ('u', '', '');
		INSERT INTO insights SELECT md5(n::text)::uuid, 'u', '', '', '', 0, NULL, now(), now() FROM generate_series(1, 2) n;
		ALTER TABLE insights DROP CONSTRAINT insights_pkey; UPDATE insights SET id = md5('')::uuid, created_at = now()`)
	if _, err := db.Exec("CREATE UNIQUE INDEX CONCURRENTLY broken ON insights (user_id, created_at, id)"); err == nil {
		t.Fatal("an index on equal rows is unique")
	}
	got := lacking(t, s)
	if len(got) != 1 || got[0].Table != "insights" || !strings.Contains(got[0].Text, "broken") {
		t.Errorf("Check misses %+v, want the index instead of the broken one", got)
	}
}

func TestIndexesMakeWhatCheckMisses(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]Schema{"standard": {}, "strict": {TasksThroughProjectOnly: true, TeamsOfMembersOnly: true}} {
		db, s := standardDatabase(t, schema)
		execute(t, db, `DROP INDEX tasks_newest, tasks_of_project, tasks_of_mission, mission_tasks_of_user, mission_tasks_of_mission,
			insights_of_user, preferences_of_user, team_members_of_user, projects_of_user, projects_of_team, missions_of_project`)
		if got := lacking(t, s); len(got) < 11 {
			t.Errorf("%s: of 11 indexes Check misses %d: %+v", name, len(got), got)
		}
		resources, err := Standard(schema)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time changes nothing
			for _, statement := range Indexes(Postgres, resources...) {
				execute(t, db, statement)
			}
		}
		if got := lacking(t, s); len(got) > 0 {
			t.Errorf("%s: after Indexes, Check misses %+v", name, got)
		}
	}
}

func TestIndexesOfAPartitionedTableAreTheTables(t *testing.T) {
	t.Parallel()
	db, s := standardDatabase(t, Schema{})
	execute(t, db, `ALTER TABLE mission_tasks DROP CONSTRAINT mission_tasks_task_id_fkey; DROP TABLE tasks;
		CREATE TABLE tasks (id uuid NOT NULL, title text NOT NULL, description text, status text NOT NULL, priority text NOT NULL,
			project_id uuid, mission_id uuid, assignee text, tags jsonb, due_date timestamptz, metadata jsonb,
			created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
		CREATE TABLE tasks_2025 PARTITION OF tasks FOR VALUES FROM ('2025-01-01Z') TO ('2026-01-01Z');
		CREATE TABLE tasks_2026 PARTITION OF tasks FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z');
		CREATE INDEX ON tasks_2025 (created_at, id); CREATE INDEX ON tasks_2026 (created_at, id)`)
	if got := lacking(t, s); len(got) != 3 {
		t.Errorf("of three indexes on a partitioned table Check misses %+v", got)
	}
	execute(t, db, "CREATE INDEX newest ON ONLY tasks (created_at, id)") // which is not valid yet
	if got := lacking(t, s); len(got) != 3 {
		t.Errorf("with an index that no partition has, Check misses %+v", got)
	}
	for _, statement := range Indexes(Postgres) {
		execute(t, db, statement)
	}
	if got := lacking(t, s); len(got) > 0 {
		t.Errorf("after Indexes, Check misses %+v of a partitioned table", got)
	}
}
