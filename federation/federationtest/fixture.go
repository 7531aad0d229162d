package federationtest

import (
	_ "embed"
	"encoding/json"
	"time"
)

//go:embed fixture.json
var published string

// Fixture returns the data that a gateway has to serve: one JSON object with a member per
// table of the standard schema, whose rows are objects with the columns' names. Whatever
// must not be on the wire has "canary" in it, in the answers to one subject, conf-alice.
func Fixture() string { return published }

// fixture is what the suite reads of the data.
type fixture struct {
	Teams       []struct{ ID string }
	TeamMembers []struct {
		TeamID string `json:"team_id"`
		UserID string `json:"user_id"`
	} `json:"team_members"`
	Users    []struct{ ID string }
	Projects []project
	Missions []struct {
		ID        string
		ProjectID *string `json:"project_id"`
	}
	Tasks       []map[string]any
	Notes       []map[string]any `json:"mission_tasks"`
	Insights    []map[string]any
	Preferences []map[string]any
	Grants      []grant
}

type project struct {
	ID        string
	OwnerType string  `json:"owner_type"`
	OwnerID   *string `json:"owner_id"`
	TeamID    *string `json:"team_id"`
}

type grant struct {
	ID      string
	Subject string `json:"subject_user_id"`
	Scope   struct {
		Resources []string
		Excluded  []string `json:"excluded_resources"`
		Filters   map[string]struct {
			Teams    *[]string `json:"include_teams"`
			Personal *bool     `json:"include_personal"`
		}
		Cap int `json:"max_rows_per_query"`
	}
	Status string
	Token  string
}

// load reads the fixture.
func load() fixture {
	var f fixture
	if err := json.Unmarshal([]byte(published), &f); err != nil {
		panic(err) // it is part of the program, and tested
	}
	return f
}

func (f *fixture) grant(token string) grant {
	for _, g := range f.Grants {
		if g.Token == token {
			return g
		}
	}
	panic("federationtest: the fixture has no grant " + token)
}

// secrets are never on the wire, whoever asks.
func (f *fixture) secrets() []string {
	all := []string{"canary-team", "canary-project", "canary-mission", "canary-peer"}
	for _, t := range f.Teams {
		all = append(all, t.ID)
	}
	for _, u := range f.Users {
		all = append(all, u.ID)
	}
	for _, g := range f.Grants {
		all = append(all, g.ID, g.Token)
	}
	return all
}

// moment reads a time of the fixture or of a row.
func moment(value any) (time.Time, bool) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}
