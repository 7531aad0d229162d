package listquery

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Schema says how a host's tables and columns are named. The zero Schema has the
// names of the standard schema.
type Schema struct {
	Tasks, Missions, Projects, MissionTasks, Insights, Preferences, TeamMembers Table

	// TasksThroughProjectOnly is the stricter of two rules for tasks. By default a
	// task shows if its project shows or the project of its mission does. With the
	// stricter rule a task that has a project shows through that project alone, and
	// its mission counts only if it has none.
	TasksThroughProjectOnly bool

	// TeamsOfMembersOnly shows the rows of a team of the filter only while the
	// subject is a member of it, by the table of team memberships and in the very
	// statement that reads the page. Set it where the filter's teams come from that
	// table, as they do by [Store.ReadAccess]: without it, whoever leaves a team
	// between the look-up of teams and the page may still see what the team got in
	// that moment. Leave it where teams come from elsewhere.
	TeamsOfMembersOnly bool
}

// A Table is a table of the standard schema under the host's names. Its zero value
// has the standard ones.
type Table struct {
	// Name is the table's name, with its schema before a dot if it needs one.
	Name string

	// Columns maps standard names of columns to the host's. Columns that are not
	// mentioned keep their names.
	Columns map[string]string
}

// In returns the schema with every table that has no schema before its name put into
// the named one.
func (s Schema) In(schema string) Schema {
	for id, standard := range standardTables {
		table := s.host(tableID(id))
		if table.Name == "" {
			table.Name = standard.name
		}
		if !strings.Contains(table.Name, ".") {
			table.Name = schema + "." + table.Name
		}
	}
	return s
}

type tableID int

const (
	tasksTable tableID = iota
	missionsTable
	projectsTable
	missionTasksTable
	insightsTable
	preferencesTable
	teamMembersTable
)

// standardTables are the tables and columns that the statements of this package use.
var standardTables = [...]struct {
	name    string
	columns []string
}{
	tasksTable: {"tasks", []string{"id", "title", "description", "status", "priority", "project_id",
		"mission_id", "assignee", "tags", "due_date", "metadata", "created_at", "updated_at"}},
	missionsTable: {"missions", []string{"id", "project_id"}},
	projectsTable: {"projects", []string{"id", "owner_type", "owner_id", "team_id"}},
	missionTasksTable: {"mission_tasks", []string{"id", "mission_id", "task_id", "user_id", "status",
		"notes", "created_at", "updated_at"}},
	insightsTable: {"insights", []string{"id", "user_id", "content", "source", "category",
		"relevance_score", "metadata", "created_at", "updated_at"}},
	preferencesTable: {"preferences", []string{"id", "user_id", "key", "value", "category", "source",
		"mutable", "created_at", "updated_at"}},
	teamMembersTable: {"team_members", []string{"team_id", "user_id"}},
}

// host is the field of s for a standard table.
func (s *Schema) host(id tableID) *Table {
	return [...]*Table{
		tasksTable: &s.Tasks, missionsTable: &s.Missions, projectsTable: &s.Projects,
		missionTasksTable: &s.MissionTasks, insightsTable: &s.Insights,
		preferencesTable: &s.Preferences, teamMembersTable: &s.TeamMembers,
	}[id]
}

// A hostTable is a table with all names resolved.
type hostTable struct {
	name    string
	columns map[string]string
}

func (t hostTable) equal(o hostTable) bool {
	return t.name == o.name && maps.Equal(t.columns, o.columns)
}

func (t hostTable) String() string {
	return t.name + " (" + strings.Join(slices.Sorted(maps.Values(t.columns)), ", ") + ")"
}

// column is the host's name of a standard column.
func (t hostTable) column(standard string) string { return t.columns[standard] }

// table resolves the names of a standard table. A name for a column that no statement
// uses is an error, as it would otherwise rename nothing in silence.
func (s *Schema) table(id tableID) (hostTable, error) {
	standard, host := standardTables[id], s.host(id)
	t := hostTable{name: standard.name, columns: make(map[string]string)}
	if host.Name != "" {
		t.name = host.Name
	}
	for _, column := range standard.columns {
		t.columns[column] = column
	}
	for column, name := range host.Columns {
		if _, ok := t.columns[column]; !ok {
			return t, fmt.Errorf("schema: table %s has no column %q to rename", standard.name, column)
		}
		t.columns[column] = name
	}
	return t, nil
}

// Standard returns the resources of the standard schema: tasks, notes and memory.
func Standard(s Schema) ([]AnyResource, error) {
	tasks, err := Tasks(s)
	if err != nil {
		return nil, err
	}
	notes, err := Notes(s)
	if err != nil {
		return nil, err
	}
	memory, err := Memory(s)
	if err != nil {
		return nil, err
	}
	return []AnyResource{tasks, notes, memory}, nil
}

// defineStandard is Define for a row type of this package and the tables of a schema.
func defineStandard[T any](s Schema, d Definition[T]) (*Resource[T], error) {
	members, err := s.table(teamMembersTable)
	if err != nil {
		return nil, err
	}
	r, err := Define(d)
	if err != nil {
		return nil, err
	}
	r.plan.members = &members
	r.encode = objectOf(d.Columns).append
	return r, nil
}
