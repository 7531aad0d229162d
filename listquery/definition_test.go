package listquery

import (
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
)

type invoice struct {
	ID     cursor.UUID
	Number int64
	Paid   *bool
	Due    *time.Time
	At     time.Time
}

func invoiceDefinition() Definition[invoice] {
	return Definition[invoice]{
		Name:  "invoices",
		Table: "billing.invoices",
		Columns: []Column[invoice]{
			Col("id", func(r *invoice) *cursor.UUID { return &r.ID }),
			Col("number", func(r *invoice) *int64 { return &r.Number }),
			Col("paid", func(r *invoice) **bool { return &r.Paid }),
			Col("due", func(r *invoice) **time.Time { return &r.Due }),
			Col("at", func(r *invoice) *time.Time { return &r.At }),
		},
		OrderBy: []string{"at"},
		Key:     "id",
		Visible: Any(Personal("owner"), Teams("team")),
	}
}

func TestDefineRefusesWhatCouldNotBeListed(t *testing.T) {
	tests := map[string]func(*Definition[invoice]){
		"no name":                                         func(d *Definition[invoice]) { d.Name = "" },
		"a name that requests cannot have":                func(d *Definition[invoice]) { d.Name = "Invoices" },
		"no table":                                        func(d *Definition[invoice]) { d.Table = "" },
		"a table that is no SQL name":                     func(d *Definition[invoice]) { d.Table = `x"; drop table y` },
		"a table with three parts":                        func(d *Definition[invoice]) { d.Table = "a.b.c" },
		"no key":                                          func(d *Definition[invoice]) { d.Key = "" },
		"a key that is not read":                          func(d *Definition[invoice]) { d.Key = "nr" },
		"an order that is not read":                       func(d *Definition[invoice]) { d.OrderBy = []string{"nr"} },
		"an order by a column that is null":               func(d *Definition[invoice]) { d.OrderBy = []string{"due"} },
		"an order by a boolean":                           func(d *Definition[invoice]) { d.OrderBy = []string{"paid"} },
		"a column twice in the order":                     func(d *Definition[invoice]) { d.OrderBy = []string{"id"} },
		"a column read twice":                             func(d *Definition[invoice]) { d.Columns = append(d.Columns, d.Columns[0]) },
		"a column not made by Col":                        func(d *Definition[invoice]) { d.Columns = append(d.Columns, Column[invoice]{}) },
		"a column that is no SQL name":                    func(d *Definition[invoice]) { d.Visible = Personal("owner id") },
		"no visibility":                                   func(d *Definition[invoice]) { d.Visible = Visibility{} },
		"visibility of everything":                        func(d *Definition[invoice]) { d.Visible = All() },
		"visibility of nothing":                           func(d *Definition[invoice]) { d.Visible = Any() },
		"visibility without Personal or Team":             func(d *Definition[invoice]) { d.Visible = Subject("owner") },
		"a branch open to all":                            func(d *Definition[invoice]) { d.Visible = Any(Personal("owner"), Is("state", "public")) },
		"a null that opens to all":                        func(d *Definition[invoice]) { d.Visible = Any(Personal("owner"), IsNull("owner")) },
		"a condition that squirrel writes as always true": func(d *Definition[invoice]) { d.Where = squirrel.Eq{} },
		"a condition of nothing":                          func(d *Definition[invoice]) { d.Where = squirrel.Expr("") },
		"a value with a backslash":                        func(d *Definition[invoice]) { d.Visible = All(Personal("owner"), Is("state", `\'`)) },
		"a question mark inside a literal":                func(d *Definition[invoice]) { d.Where = squirrel.Expr("state <> '?'") },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			d := invoiceDefinition()
			spoil(&d)
			if r, err := Define(d); err == nil || r != nil {
				t.Errorf("Define accepted a definition with %s", name)
			}
		})
	}
	if _, err := Define(invoiceDefinition()); err != nil {
		t.Errorf("Define refused the sound definition: %v", err)
	}
}

func TestALiteralCannotEndItsQuotes(t *testing.T) {
	d := invoiceDefinition()
	d.Visible = All(Personal("owner"), Is("state", "it's due?"))
	r, err := Define(d)
	if err != nil {
		t.Fatal(err)
	}
	sql := r.plan.statement(shape{personal: true, dialect: SQLite}, -1, 0, looks).sql
	if want := `"state" = 'it''s due?'`; !strings.Contains(sql, want) {
		t.Errorf("the statement does not contain %s:\n%s", want, sql)
	}
}

func TestAHostsConditionCannotEscapeItsParentheses(t *testing.T) {
	d := invoiceDefinition()
	d.Where = squirrel.Expr("state = 'open' OR state = ?", "due")
	r, err := Define(d)
	if err != nil {
		t.Fatal(err)
	}
	for key, st := range r.plan.statements {
		if !strings.Contains(st.sql, "AND (state = 'open' OR state = ") {
			t.Errorf("the statement for %+v does not hold the condition in parentheses:\n%s", key, st.sql)
		}
	}
}

func TestAFilterThatAllowsNothingHasNoStatement(t *testing.T) {
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources {
		for _, d := range dialects {
			if st := r.definition().statement(shape{dialect: d}, -1, 0, looks); st != nil {
				t.Errorf("%s has a statement on %s for a filter that allows nothing:\n%s", r.Name(), d, st.sql)
			}
		}
	}
}

func TestEveryStatementHasItsLimitAndItsKeysetAsOneRowValue(t *testing.T) {
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources {
		for key, st := range r.definition().statements {
			if !strings.Contains(st.sql, "LIMIT") {
				t.Errorf("%s %+v has no limit:\n%s", r.Name(), key, st.sql)
			}
			keyset := strings.Contains(st.sql, `(t0."created_at", t0."id") < (`)
			if continued := key.start >= 0; keyset != continued {
				t.Errorf("%s %+v: keyset comparison is %v, want %v:\n%s", r.Name(), key, keyset, continued, st.sql)
			}
		}
	}
}

func TestASchemaRenamesTablesAndColumns(t *testing.T) {
	schema := Schema{
		Tasks:    Table{Name: "work_items", Columns: map[string]string{"created_at": "made_at", "project_id": "proj"}},
		Projects: Table{Columns: map[string]string{"team_id": "squad"}},
	}.In("app")
	tasks, err := Tasks(schema)
	if err != nil {
		t.Fatal(err)
	}
	sql := tasks.plan.statement(shape{personal: true, teams: true, dialect: Postgres}, 0, 0, looks).sql
	for _, want := range []string{`"app"."work_items"`, `"app"."projects"`, `"made_at"`, `"proj"`, `"squad"`} {
		if !strings.Contains(sql, want) {
			t.Errorf("the statement does not mention %s:\n%s", want, sql)
		}
	}
}

func TestASchemaRefusesToRenameWhatIsNotThere(t *testing.T) {
	schema := Schema{Tasks: Table{Columns: map[string]string{"createdAt": "made_at"}}}
	if _, err := Standard(schema); err == nil {
		t.Error("Standard accepted a name for a column that tasks does not have")
	}
}

func TestNewStoreRefusesAnIncompleteConfig(t *testing.T) {
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	sound := Config{Dialect: SQLite, Resources: resources}
	tests := map[string]struct {
		db  Querier
		cfg Config
	}{
		"no database":          {nil, sound},
		"no dialect":           {noDatabase{}, Config{Resources: resources}},
		"no resources":         {noDatabase{}, Config{Dialect: SQLite}},
		"a resource twice":     {noDatabase{}, Config{Dialect: SQLite, Resources: append(resources, resources[0])}},
		"a nil resource":       {noDatabase{}, Config{Dialect: SQLite, Resources: []AnyResource{nil}}},
		"a nil *Resource":      {noDatabase{}, Config{Dialect: SQLite, Resources: []AnyResource{(*Resource[Task])(nil)}}},
		"a zero Resource":      {noDatabase{}, Config{Dialect: SQLite, Resources: []AnyResource{&Resource[Task]{}}}},
		"a schema with a slip": {noDatabase{}, Config{Dialect: SQLite, Resources: resources, Schema: Schema{TeamMembers: Table{Name: "a b"}}}},
		"a column with a slip": {noDatabase{}, Config{Dialect: SQLite, Resources: resources, Schema: Schema{TeamMembers: Table{Columns: map[string]string{"team": "t"}}}}},
		"an unknown dialect":   {noDatabase{}, Config{Dialect: 9, Resources: resources}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := NewStore(test.db, test.cfg); err == nil {
				t.Errorf("NewStore accepted a config with %s", name)
			}
		})
	}
	if _, err := NewStore(noDatabase{}, sound); err != nil {
		t.Errorf("NewStore refused the sound config: %v", err)
	}
}

func TestARestrictionThatWasLostOnTheWayIsRefused(t *testing.T) {
	tenant := squirrel.Eq{"tenant": 1}
	for name, where := range map[string]squirrel.Sqlizer{
		"an empty Eq":                 squirrel.Eq{},
		"an empty And":                squirrel.And{},
		"an And with an empty Eq":     squirrel.And{squirrel.Eq{}, tenant},
		"an Or with an empty Eq":      squirrel.Or{squirrel.Eq{}, tenant},
		"an And of nothing but And":   squirrel.And{squirrel.And{}},
		"an argument with a number":   squirrel.Expr("tenant = $1"),
		"a text of nothing but space": squirrel.Expr(" "),
	} {
		d := invoiceDefinition()
		d.Where = where
		if _, err := Define(d); err == nil {
			t.Errorf("Define accepted a condition with %s", name)
		}
	}
}

func TestNativeAccessGivesWhateverMakesADifference(t *testing.T) {
	for name, test := range map[string]struct {
		visible         Visibility
		personal, teams bool
	}{
		"personal":                     {Personal("owner"), true, false},
		"teams":                        {Teams("team"), false, true},
		"both at once":                 {All(Personal("owner"), Teams("team")), true, true},
		"readers in a team":            {Any(Personal("owner"), All(Personal("reader"), Teams("team"))), true, true},
		"guests of a team":             {Any(Teams("team"), All(Personal("owner"), Teams("guests"))), true, true},
		"the parent's":                 {Parent("project", "projects", "id", TeamUUIDs("team")), false, true},
		"the subject's, through teams": {All(Subject("author"), Teams("team")), false, true},
	} {
		d := invoiceDefinition()
		d.Visible = test.visible
		r, err := Define(d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.plan.personal != test.personal || r.plan.teams != test.teams {
			t.Errorf("%s: personal rows count %v and teams %v, want %v and %v", name, r.plan.personal, r.plan.teams, test.personal, test.teams)
		}
	}
}

func TestNewStoreRefusesResourcesThatLookForTeamsElsewhere(t *testing.T) {
	schema := Schema{}.In("app")
	resources, err := Standard(schema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewStore(noDatabase{}, Config{Dialect: Postgres, Resources: resources}); err == nil {
		t.Error("NewStore looks for teams in another table than its resources")
	}
	if _, err := NewStore(noDatabase{}, Config{Dialect: Postgres, Resources: resources, Schema: schema}); err != nil {
		t.Errorf("NewStore refused the schema of its resources: %v", err)
	}
}
