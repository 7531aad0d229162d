package hosttest

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/examples/hosts/gateway"
	"github.com/mosaicstack/fedkit/internal/demo"
)

// token is that of the one grant, which shows the tasks of user-1.
const token = "a secret of peer-1"

// shown are the titles of those tasks, newest first.
var shown = []string{"reap", "weed", "water", "sow", "dig"}

// fill makes a database with the tasks of two users, who share no team.
func fill(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range append(demo.DDL(demo.Postgres, ""), gateway.Table) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := demo.Load(t.Context(), db, demo.Postgres, "", world()); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(token))
	_, err := db.Exec(`INSERT INTO peer_grants (token_sha256, id, peer, subject, scope) VALUES ($1, $2, $3, $4, $5)`,
		digest[:], "grant-1", "peer-1", "user-1", `{"resources":["tasks"],"max_rows_per_query":2}`)
	if err != nil {
		t.Fatal(err)
	}
}

func world() demo.Data {
	var data demo.Data
	began := time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC)
	for user := 1; user <= 2; user++ {
		owner, project := fmt.Sprint("user-", user), id(0, user)
		data.Users = append(data.Users, demo.User{ID: owner})
		data.Projects = append(data.Projects, demo.Project{ID: project, OwnerType: "user", OwnerID: &owner})
		for i, title := range shown {
			if user == 2 {
				title = "not shown"
			}
			at := began.Add(-time.Duration(i) * time.Hour)
			data.Tasks = append(data.Tasks, demo.Task{ID: id(i+1, user), Title: title, ProjectID: &project, CreatedAt: at, UpdatedAt: at})
		}
	}
	return data
}

// id is that of the nth row of a user.
func id(n, user int) string { return fmt.Sprintf("%08d-0000-4000-8000-%012d", n, user) }
