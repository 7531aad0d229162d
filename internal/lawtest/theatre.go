package lawtest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// theatre is a world in which one part stays and another is churned:
//
//	stays     project home (the subject's), project base (team anchor), with
//	          missions; the subject stays a member of anchor
//	churned   project tramp moves between team maybe and team never; the subject
//	          joins and leaves maybe; rows are added and deleted everywhere
//	never     project alien (team never): the subject may see none of its rows
type theatre struct {
	subject, other                   string
	anchor, maybe, never             string
	home, base, tramp, alien         string
	onHome, onBase, onTramp, onAlien string // missions
	stable, forbidden                map[string]map[string]bool
}

func newTheatre(r random) (*theatre, *world) {
	th := &theatre{
		subject: "user-1", other: "USER-1",
		anchor: r.uuid(), maybe: r.uuid(), never: r.uuid(),
		home: r.uuid(), base: r.uuid(), tramp: r.uuid(), alien: r.uuid(),
		onHome: r.uuid(), onBase: r.uuid(), onTramp: r.uuid(), onAlien: r.uuid(),
		stable:    map[string]map[string]bool{"tasks": {}, "notes": {}, "memory": {}},
		forbidden: map[string]map[string]bool{"tasks": {}, "notes": {}, "memory": {}},
	}
	w := &world{
		users:   []user{{th.subject}, {th.other}},
		teams:   []team{{th.anchor, th.other}, {th.maybe, th.other}, {th.never, th.other}},
		members: []member{{th.anchor, th.subject}, {th.never, th.other}},
		projects: []project{
			{id: th.home, ownerType: "user", ownerID: &th.subject},
			{id: th.base, ownerType: "team", teamID: &th.anchor},
			{id: th.tramp, ownerType: "team", teamID: &th.maybe},
			{id: th.alien, ownerType: "team", teamID: &th.never},
		},
		missions: []mission{
			{th.onHome, &th.home, th.other}, {th.onBase, &th.base, th.subject},
			{th.onTramp, &th.tramp, th.subject}, {th.onAlien, &th.alien, th.subject},
		},
	}
	return th, w
}

// volatile makes a row that the churn may delete again.
func (th *theatre) volatile(r random) row {
	switch r.IntN(4) {
	case 0:
		return taskIn(r, oneOf(r, []string{th.home, th.base, th.tramp}))
	case 1:
		return noteOn(r, oneOf(r, []string{th.onHome, th.onBase, th.onTramp}), th.subject)
	case 2:
		return insightOf(r, th.subject)
	}
	return preferenceOf(r, th.subject)
}

func taskIn(r random, project string) task {
	return task{id: r.uuid(), title: "t", status: "done", priority: "low", projectID: &project, createdAt: newTime(r), updatedAt: noon}
}

func noteOn(r random, mission, author string) note {
	return note{id: r.uuid(), missionID: mission, userID: author, status: "done", notes: text("n"), createdAt: newTime(r), updatedAt: noon}
}

func insightOf(r random, user string) insight {
	return insight{id: r.uuid(), userID: user, content: "c", source: "agent", category: "general", createdAt: newTime(r), updatedAt: noon}
}

func preferenceOf(r random, user string) preference {
	return preference{id: r.uuid(), userID: user, key: r.uuid(), value: "1", category: "general", createdAt: newTime(r), updatedAt: noon}
}

// populate adds n rows of a kind that are always visible, and n that never are.
func (th *theatre) populate(r random, w *world, n int) {
	for range n {
		th.add(w, th.stable, taskIn(r, oneOf(r, []string{th.home, th.base})),
			noteOn(r, oneOf(r, []string{th.onHome, th.onBase}), th.subject),
			insightOf(r, th.subject), preferenceOf(r, th.subject))
		th.add(w, th.forbidden, taskIn(r, th.alien),
			noteOn(r, oneOf(r, []string{th.onAlien, th.onHome}), th.other),
			insightOf(r, th.other), preferenceOf(r, th.other))
	}
}

// add puts a row of each kind into the world and remembers their ids.
func (th *theatre) add(w *world, ids map[string]map[string]bool, k task, n note, i insight, p preference) {
	w.tasks, w.notes = append(w.tasks, k), append(w.notes, n)
	w.insights, w.preferences = append(w.insights, i), append(w.preferences, p)
	ids["tasks"][k.id], ids["notes"][n.id] = true, true
	ids["memory"][i.id], ids["memory"][p.id] = true, true
}

// openTheatre opens a database with a theatre of n stable rows of a kind.
func openTheatre(t *testing.T, open Open, n int) (DB, random, *theatre, *world) {
	t.Helper()
	db, r := open(t), newRandom(t)
	th, w := newTheatre(r)
	th.populate(r, w, n)
	w.load(t, db)
	return db, r, th, w
}

// churn writes until the returned func is called.
func (th *theatre) churn(t *testing.T, db DB, r random, writes *atomic.Int64) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	forever := func(step func() error) {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := step(); err != nil {
					t.Errorf("a writer fails: %v", err)
					return
				}
				writes.Add(1)
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	rows := random{newChild(r)}
	var mine []row
	forever(func() error {
		if len(mine) > 20 || len(mine) > 0 && rows.chance(45) {
			i := rows.IntN(len(mine))
			gone := mine[i]
			mine = slices.Delete(mine, i, i+1)
			return db.try("DELETE FROM "+gone.table()+" WHERE id = ?", gone.columns()[0].value)
		}
		fresh := th.volatile(rows)
		mine = append(mine, fresh)
		return db.tryInsert(fresh)
	})
	joined, moved := false, false
	forever(func() error {
		joined = !joined
		if joined {
			return db.tryInsert(member{th.maybe, th.subject})
		}
		return db.try("DELETE FROM team_members WHERE team_id = ? AND user_id = ?", th.maybe, th.subject)
	})
	forever(func() error {
		moved = !moved
		to := th.maybe
		if moved {
			to = th.never
		}
		return db.try("UPDATE projects SET team_id = ? WHERE id = ?", to, th.tramp)
	})
	return func() { close(done); wg.Wait() }
}
