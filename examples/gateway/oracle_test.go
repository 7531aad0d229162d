package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/scope"
)

// The oracle knows what each grant shows by looking at every row of the demo data,
// one by one, with scope.Filter.Allows.
type oracle struct{ demo.Data }

// shows returns the ids of a resource that a grant shows, in the order of the list.
func (o oracle) shows(t *testing.T, g demo.Grant, resource string) []string {
	t.Helper()
	filter := o.filter(t, g, resource)
	var rows []oracleRow
	for _, r := range o.rows(resource) {
		if filter.Allows(r.facts) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b oracleRow) int {
		return cmp.Or(cmp.Compare(a.block, b.block), b.at.Compare(a.at), strings.Compare(b.id, a.id))
	})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	return ids
}

// scope returns the scope of a grant.
func (o oracle) scope(t *testing.T, g demo.Grant) scope.Scope {
	t.Helper()
	granted, err := scope.Parse(scope.Standard(), g.Scope)
	if err != nil {
		t.Fatalf("the scope of the demo grant %s is invalid: %v", g.Token, err)
	}
	return granted
}

// filter returns what the grant lets through; the zero filter shows nothing.
func (o oracle) filter(t *testing.T, g demo.Grant, resource string) (filter scope.Filter) {
	t.Helper()
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: o})
	if err != nil {
		t.Fatal(err)
	}
	rules.Evaluate(context.Background(), scope.Request{
		Grant:    scope.Grant{ID: g.ID, Peer: g.PeerID, Subject: g.SubjectUserID, Scope: o.scope(t, g)},
		Resource: resource,
	}).Switch(
		func(d *scope.Denial) { t.Errorf("the demo grant %s is denied %s: %v", g.Token, resource, d) },
		func() {},
		func(f scope.Filter) { filter = f },
	)
	return filter
}

// ReadAccess makes the demo data the host's access control.
func (o oracle) ReadAccess(_ context.Context, r scope.AccessRequest) (scope.Access, error) {
	access := scope.Access{Allowed: true, Personal: true}
	for _, m := range o.TeamMembers {
		if m.UserID == r.Subject {
			access.Teams = append(access.Teams, m.TeamID)
		}
	}
	return access, nil
}

// oracleRow is what the oracle needs to know of a row.
type oracleRow struct {
	id    string
	at    time.Time
	block int // insights come before preferences
	facts scope.Facts
}

func (o oracle) rows(resource string) (rows []oracleRow) {
	switch resource {
	case "tasks":
		for _, k := range o.Tasks {
			rows = append(rows, oracleRow{id: k.ID, at: k.CreatedAt,
				facts: owners(o.project(k.ProjectID), o.project(o.projectOf(k.MissionID)))})
		}
	case "notes":
		for _, n := range o.MissionTasks {
			if n.Notes == nil || *n.Notes == "" {
				continue
			}
			facts := owners(o.project(o.projectOf(&n.MissionID)))
			facts.Private, facts.Author = true, n.UserID
			rows = append(rows, oracleRow{id: n.ID, at: n.CreatedAt, facts: facts})
		}
	case "memory":
		for _, i := range o.Insights {
			rows = append(rows, oracleRow{id: i.ID, at: i.CreatedAt, facts: scope.Facts{Users: []string{i.UserID}}})
		}
		for _, p := range o.Preferences {
			rows = append(rows, oracleRow{id: p.ID, at: p.CreatedAt, block: 1, facts: scope.Facts{Users: []string{p.UserID}}})
		}
	}
	return rows
}

// owners returns the owners of projects, of which any may be nil.
func owners(projects ...*demo.Project) (facts scope.Facts) {
	for _, p := range projects {
		switch {
		case p == nil:
		case p.OwnerType == "user" && p.OwnerID != nil:
			facts.Users = append(facts.Users, *p.OwnerID)
		case p.OwnerType == "team" && p.TeamID != nil:
			facts.Teams = append(facts.Teams, *p.TeamID)
		}
	}
	return facts
}

func (o oracle) project(id *string) *demo.Project {
	i := slices.IndexFunc(o.Projects, func(p demo.Project) bool { return id != nil && p.ID == *id })
	if i < 0 {
		return nil
	}
	return &o.Projects[i]
}

// projectOf returns the project of a mission.
func (o oracle) projectOf(mission *string) *string {
	i := slices.IndexFunc(o.Missions, func(m demo.Mission) bool { return mission != nil && m.ID == *mission })
	if i < 0 {
		return nil
	}
	return o.Missions[i].ProjectID
}
