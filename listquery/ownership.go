package listquery

// Whose rows are listed follows from the projects in the standard schema: a user or a
// team owns a project, missions belong to projects.

// throughProject shows the rows whose column refers to a project that the filter
// shows.
func (s *Schema) throughProject(column string) (Visibility, error) {
	projects, err := s.table(projectsTable)
	if err != nil {
		return Visibility{}, err
	}
	team, err := s.throughTeam(projects.column("team_id"))
	if err != nil {
		return Visibility{}, err
	}
	owned := Any(
		All(Is(projects.column("owner_type"), "user"), Personal(projects.column("owner_id"))),
		All(Is(projects.column("owner_type"), "team"), team),
	)
	return Parent(column, projects.name, projects.column("id"), owned), nil
}

// throughMission shows the rows whose column refers to a mission of such a project.
func (s *Schema) throughMission(column string) (Visibility, error) {
	missions, err := s.table(missionsTable)
	if err != nil {
		return Visibility{}, err
	}
	project, err := s.throughProject(missions.column("project_id"))
	if err != nil {
		return Visibility{}, err
	}
	return Parent(column, missions.name, missions.column("id"), project), nil
}

// throughTeam shows the rows whose column is a team of the filter.
func (s *Schema) throughTeam(column string) (Visibility, error) {
	if !s.TeamsOfMembersOnly {
		return TeamUUIDs(column), nil
	}
	members, err := s.table(teamMembersTable)
	if err != nil {
		return Visibility{}, err
	}
	team, user := members.column("team_id"), members.column("user_id")
	return All(TeamUUIDs(column), Parent(column, members.name, team, Subject(user))), nil
}
