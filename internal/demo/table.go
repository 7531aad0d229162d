package demo

// table is one table of a world: its name and access to its rows.
type table struct {
	name string
	len  func() int
	at   func(i int) []column // the columns of a row
	grow func() []column      // the columns of a new row at the end
}

// column is one column of one row.
type column struct {
	name string
	cell
	// refers is the table whose id the cell holds, or empty.
	refers string
}

// row is implemented by pointers to the row types: columns says once what a table
// has, to read it, to check it and to store it.
type row[R any] interface {
	*R
	columns() []column
}

func tableOf[R any, P row[R]](name string, rows *[]R) table {
	return table{
		name: name,
		len:  func() int { return len(*rows) },
		at:   func(i int) []column { return P(&(*rows)[i]).columns() },
		grow: func() []column {
			*rows = append(*rows, *new(R))
			return P(&(*rows)[len(*rows)-1]).columns()
		},
	}
}

// tables are in the order of their foreign keys.
func (d *Data) tables() []table {
	return []table{
		tableOf("users", &d.Users),
		tableOf("teams", &d.Teams),
		tableOf("team_members", &d.TeamMembers),
		tableOf("projects", &d.Projects),
		tableOf("missions", &d.Missions),
		tableOf("tasks", &d.Tasks),
		tableOf("mission_tasks", &d.MissionTasks),
		tableOf("insights", &d.Insights),
		tableOf("preferences", &d.Preferences),
		tableOf("grants", &d.Grants),
	}
}

func (r *User) columns() []column {
	return []column{
		{name: "id", cell: text(&r.ID)},
		{name: "name", cell: text(&r.Name)},
		{name: "email", cell: text(&r.Email)},
	}
}

func (r *Team) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "name", cell: text(&r.Name)},
		{name: "slug", cell: text(&r.Slug)},
		{name: "owner_id", cell: text(&r.OwnerID), refers: "users"},
		{name: "manager_id", cell: text(&r.ManagerID), refers: "users"},
	}
}

func (r *TeamMember) columns() []column {
	return []column{
		{name: "team_id", cell: uuid(&r.TeamID), refers: "teams"},
		{name: "user_id", cell: text(&r.UserID), refers: "users"},
	}
}

func (r *Project) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "name", cell: text(&r.Name)},
		{name: "owner_type", cell: oneOf(&r.OwnerType, "user", "team")},
		{name: "owner_id", cell: optional(&r.OwnerID, text), refers: "users"},
		{name: "team_id", cell: optional(&r.TeamID, uuid), refers: "teams"},
	}
}

func (r *Mission) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "name", cell: text(&r.Name)},
		{name: "project_id", cell: optional(&r.ProjectID, uuid), refers: "projects"},
		{name: "user_id", cell: text(&r.UserID), refers: "users"},
	}
}

func (r *Task) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "title", cell: text(&r.Title)},
		{name: "description", cell: optional(&r.Description, text)},
		{name: "status", cell: text(&r.Status)},
		{name: "priority", cell: text(&r.Priority)},
		{name: "project_id", cell: optional(&r.ProjectID, uuid), refers: "projects"},
		{name: "mission_id", cell: optional(&r.MissionID, uuid), refers: "missions"},
		{name: "assignee", cell: optional(&r.Assignee, text)},
		{name: "tags", cell: optionalDocument(&r.Tags)},
		{name: "due_date", cell: optional(&r.DueDate, moment)},
		{name: "metadata", cell: optionalDocument(&r.Metadata)},
		{name: "created_at", cell: moment(&r.CreatedAt)},
		{name: "updated_at", cell: moment(&r.UpdatedAt)},
	}
}

func (r *MissionTask) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "mission_id", cell: uuid(&r.MissionID), refers: "missions"},
		{name: "task_id", cell: optional(&r.TaskID, uuid), refers: "tasks"},
		{name: "user_id", cell: text(&r.UserID), refers: "users"},
		{name: "status", cell: text(&r.Status)},
		{name: "notes", cell: optional(&r.Notes, text)},
		{name: "created_at", cell: moment(&r.CreatedAt)},
		{name: "updated_at", cell: moment(&r.UpdatedAt)},
	}
}

func (r *Insight) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "user_id", cell: text(&r.UserID), refers: "users"},
		{name: "content", cell: text(&r.Content)},
		{name: "source", cell: text(&r.Source)},
		{name: "category", cell: text(&r.Category)},
		{name: "relevance_score", cell: number(&r.RelevanceScore)},
		{name: "metadata", cell: optionalDocument(&r.Metadata)},
		{name: "created_at", cell: moment(&r.CreatedAt)},
		{name: "updated_at", cell: moment(&r.UpdatedAt)},
	}
}

func (r *Preference) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "user_id", cell: text(&r.UserID), refers: "users"},
		{name: "key", cell: text(&r.Key)},
		{name: "value", cell: document(&r.Value)},
		{name: "category", cell: text(&r.Category)},
		{name: "source", cell: optional(&r.Source, text)},
		{name: "mutable", cell: flag(&r.Mutable)},
		{name: "created_at", cell: moment(&r.CreatedAt)},
		{name: "updated_at", cell: moment(&r.UpdatedAt)},
	}
}

func (r *Grant) columns() []column {
	return []column{
		{name: "id", cell: uuid(&r.ID)},
		{name: "peer_id", cell: text(&r.PeerID)},
		{name: "subject_user_id", cell: text(&r.SubjectUserID)},
		{name: "scope", cell: document(&r.Scope)},
		{name: "status", cell: oneOf(&r.Status, "active", "pending", "revoked", "expired")},
		{name: "token", cell: text(&r.Token)},
	}
}
