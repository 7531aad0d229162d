package lawtest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
)

// lawOfInvisibility is law 4: two databases that differ only in what the grant
// does not show give the same bytes, page after page, cursors and headers
// included.
func lawOfInvisibility(t *testing.T, open Open) {
	plainDB, crowdedDB, r := open(t), open(t), newRandom(t)
	plain, crowded := newGateway(t, plainDB), newGateway(t, crowdedDB)
	pages, rows, added := 0, 0, 0
	bites := func() bool { return pages >= 10 && rows >= 10 && added >= 30 }
	play(t, 4, bites, func() {
		w := newWorld(r, small)
		more, k, subject := w.clone(), randomTerms(r, w), oneOf(r, w.users).id
		k.Cap = 1 + r.IntN(4)
		added += addInvisible(r, more, k, subject)
		w.load(t, plainDB)
		more.load(t, crowdedDB)
		plain.grant(t, "grant-1", subject, k)
		crowded.grant(t, "grant-1", subject, k)
		for _, resource := range []string{"tasks", "notes", "memory", "credentials", "api_keys", "nonsense"} {
			next := ""
			for n := 0; (n == 0 || next != "") && n < 100; n++ {
				one, other := plain.list("grant-1", resource, ask(0, next)), crowded.list("grant-1", resource, ask(0, next))
				if one.String() != other.String() {
					t.Fatalf("%s behind %q tells the databases apart:\n%s\n%s", resource, next, one, other)
				}
				if next = ""; one.status == http.StatusOK {
					var items []map[string]any
					items, next = one.page(t)
					pages, rows = pages+1, rows+len(items)
				}
			}
		}
		path := federation.Prefix + "capabilities"
		one, other := plain.send(http.MethodGet, path, "", "Authorization", "Bearer grant-1"), crowded.send(http.MethodGet, path, "", "Authorization", "Bearer grant-1")
		if one.status != http.StatusOK || one.String() != other.String() {
			t.Errorf("the capabilities tell the databases apart:\n%s\n%s", one, other)
		}
	})
	t.Logf("%d pages of %d rows were the same; %d invisible rows were added", pages, rows, added)
}

// addInvisible adds random rows to the world and takes back each one that would
// show. It returns how many stayed.
func addInvisible(r random, w *world, k terms, subject string) int {
	before := len(w.rows())
	stranger := user{"a stranger"}
	far := team{r.uuid(), stranger.id}
	w.users, w.teams = append(w.users, stranger), append(w.teams, far)
	w.members = append(w.members, member{far.id, stranger.id})
	for range 4 {
		p := project{id: r.uuid(), ownerType: "team", teamID: &far.id}
		if r.chance(40) {
			p = project{id: r.uuid(), ownerType: "user", ownerID: &stranger.id, teamID: p.teamID}
		}
		w.projects = append(w.projects, p)
		w.missions = append(w.missions, mission{r.uuid(), &p.id, subject})
	}
	for range 20 {
		w.tasks = keepInvisible(w, k, subject, "tasks", w.tasks, w.newTask(r))
		n := w.newNote(r)
		if r.chance(40) {
			n.notes, n.userID = text(""), subject
		}
		w.notes = keepInvisible(w, k, subject, "notes", w.notes, n)
		w.insights = keepInvisible(w, k, subject, "memory", w.insights, w.newInsight(r))
		w.preferences = keepInvisible(w, k, subject, "memory", w.preferences, w.newPreference(r))
	}
	return len(w.rows()) - before
}

// keepInvisible appends the row unless it shows.
func keepInvisible[R row](w *world, k terms, subject, resource string, list []R, fresh R) []R {
	trial := &world{projects: w.projects, missions: w.missions}
	switch fresh := any(fresh).(type) {
	case task:
		trial.tasks = []task{fresh}
	case note:
		trial.notes = []note{fresh}
	case insight:
		trial.insights = []insight{fresh}
	case preference:
		trial.preferences = []preference{fresh}
	}
	f, _ := k.filter(w, subject, resource)
	if len(oracle{world: trial}.list(f)) > 0 {
		return list
	}
	return append(slices.Clip(list), fresh)
}
