package listquery

import (
	"context"
	"database/sql"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/scope"
)

// ReadAccess is what the host itself allows a subject: the subject's personal rows,
// and the teams that the subject is a member of now. A resource that the store does
// not list is denied, the known names credentials and api_keys among them.
func (s *Store) ReadAccess(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
	r, ok := s.resources[req.Resource]
	if !ok {
		return scope.Access{Reason: "the store does not list " + req.Resource}, nil
	}
	plan := r.definition()
	access := scope.Access{Allowed: true, Personal: plan.personal}
	if !plan.teams {
		return access, nil
	}
	teams, err := s.teams(ctx, req.Subject)
	if err != nil {
		return scope.Access{}, failure(ctx, "look up teams", err)
	}
	access.Teams = teams
	return access, nil
}

func (s *Store) teams(ctx context.Context, subject string) ([]string, error) {
	args := s.members.arguments(scope.Filter{Subject: subject}, nil, 0)
	var teams []string
	err := s.session.query(ctx, s.members, args, func(rows *sql.Rows) error {
		for rows.Next() {
			var team string
			if err := rows.Scan(&team); err != nil {
				return err
			}
			teams = append(teams, team)
		}
		return nil
	})
	return teams, err
}

// membersStatement selects the teams of a subject.
func membersStatement(s Schema, d Dialect) (*statement, error) {
	members, err := s.table(teamMembersTable)
	if err != nil {
		return nil, err
	}
	from, err := quoteTable(members.name)
	if err != nil {
		return nil, err
	}
	const a = alias(0)
	team, err := quoteColumn(a.String(), members.column("team_id"))
	if err != nil {
		return nil, err
	}
	mine, err := compare(a, members.column("user_id"), slot{kind: subjectSlot})
	if err != nil {
		return nil, err
	}
	return newStatement(d, squirrel.Select(team).From(from+" AS "+a.String()).Where(mine))
}
