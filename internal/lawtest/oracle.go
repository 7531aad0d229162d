package lawtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// oracle answers list requests slowly and plainly: it asks scope.Filter.Allows
// about every row of a world and sorts those that may be seen.
type oracle struct {
	*world
	// throughProjectOnly is the stricter rule for tasks: one that has a project
	// shows through that project only.
	throughProjectOnly bool
}

// candidate is a row of a resource, before anybody asked who may see it.
type candidate struct {
	facts scope.Facts
	block int // rows of a lower block come first
	at    time.Time
	id    string
	item  map[string]any
}

// list returns every row that the filter allows, newest first; its limit plays
// no part.
func (o oracle) list(f scope.Filter) []map[string]any {
	var seen []candidate
	for _, c := range o.candidates(f.Resource) {
		if f.Allows(c.facts) {
			seen = append(seen, c)
		}
	}
	slices.SortFunc(seen, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(a.block, b.block),
			b.at.Compare(a.at),
			strings.Compare(b.id, a.id),
		)
	})
	items := make([]map[string]any, 0, len(seen))
	for _, c := range seen {
		items = append(items, c.item)
	}
	return items
}

// candidates returns the rows that a resource could show to anybody.
func (o oracle) candidates(resource string) []candidate {
	switch resource {
	case "tasks":
		return o.taskCandidates()
	case "notes":
		return o.noteCandidates()
	case "memory":
		return o.memoryCandidates()
	}
	return nil
}

func (o oracle) taskCandidates() []candidate {
	var all []candidate
	for _, k := range o.tasks {
		var facts scope.Facts
		if k.projectID != nil {
			facts = o.ownersOfProject(*k.projectID)
		}
		if k.missionID != nil && (k.projectID == nil || !o.throughProjectOnly) {
			more := o.ownersOfMission(*k.missionID)
			facts.Users = append(facts.Users, more.Users...)
			facts.Teams = append(facts.Teams, more.Teams...)
		}
		all = append(all, candidate{facts: facts, at: k.createdAt, id: k.id, item: k.item()})
	}
	return all
}

func (o oracle) noteCandidates() []candidate {
	var all []candidate
	for _, n := range o.notes {
		if n.notes == nil || *n.notes == "" {
			continue
		}
		facts := o.ownersOfMission(n.missionID)
		facts.Private, facts.Author = true, n.userID
		all = append(all, candidate{facts: facts, at: n.createdAt, id: n.id, item: n.item()})
	}
	return all
}

func (o oracle) memoryCandidates() []candidate {
	var all []candidate
	for _, i := range o.insights {
		facts := scope.Facts{Users: []string{i.userID}}
		all = append(all, candidate{facts: facts, at: i.createdAt, id: i.id, item: i.item()})
	}
	for _, p := range o.preferences {
		facts := scope.Facts{Users: []string{p.userID}}
		all = append(all, candidate{facts: facts, block: 1, at: p.createdAt, id: p.id, item: p.item()})
	}
	return all
}

// ownersOfProject names who owns a project: the owner that owner_type speaks of,
// whatever the other column holds.
func (o oracle) ownersOfProject(id string) scope.Facts {
	for _, p := range o.projects {
		switch {
		case p.id != id:
		case p.ownerType == "user" && p.ownerID != nil:
			return scope.Facts{Users: []string{*p.ownerID}}
		case p.ownerType == "team" && p.teamID != nil:
			return scope.Facts{Teams: []string{*p.teamID}}
		}
	}
	return scope.Facts{}
}

func (o oracle) ownersOfMission(id string) scope.Facts {
	for _, m := range o.missions {
		if m.id == id && m.projectID != nil {
			return o.ownersOfProject(*m.projectID)
		}
	}
	return scope.Facts{}
}
