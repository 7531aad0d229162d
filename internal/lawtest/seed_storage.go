package lawtest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// seedStorage are the ten behaviours of the seed's list-query.service.spec. Each
// subtest bears the seed's own words. Where the seed put stubs under the
// service, these run on the database.
func seedStorage(t *testing.T, open Open) {
	run(t, open, []trial{
		{"denies sensitive resources in native RBAC for M3 list reads", seedDeniesSensitive},
		{"allows personal memory reads without requiring team lookup", seedAllowsMemory},
		{"applies the scope row cap and returns an opaque next cursor when truncated", seedAppliesCap},
		{"rejects invalid cursors instead of falling back to the first page", seedRejectsCursors},
		{"throws when a truncated page cannot encode a resumable cursor", seedUnencodable},
		{"throws on unsupported resources instead of crashing pagination", seedUnsupported},
		{"does not leak another user mission task notes through team-scoped note reads", seedNotesOfOthers},
		{"does not return subject personal mission task notes when includePersonal is false", seedNotesPersonal},
		{"does not return subject notes from missions outside the grant-visible project set", seedNotesOutside},
		{"paginates memory deterministically across insights and preferences", seedMemory},
	})
}

// The rows of the seed's fixture.
const (
	seedSubject = "fed-m3-05-subject"
	seedOther   = "fed-m3-05-other"

	seedTeam         = "05000000-0000-4000-8000-000000000001"
	seedForeignTeam  = "05000000-0000-4000-8000-000000000002"
	seedPersonal     = "05000000-0000-4000-8000-000000000101"
	seedTeamProject  = "05000000-0000-4000-8000-000000000102"
	seedForeign      = "05000000-0000-4000-8000-000000000103"
	seedAtPersonal   = "05000000-0000-4000-8000-000000000201"
	seedAtTeam       = "05000000-0000-4000-8000-000000000202"
	seedAtForeign    = "05000000-0000-4000-8000-000000000203"
	seedNoteTeam     = "05000000-0000-4000-8000-000000000301"
	seedNoteOther    = "05000000-0000-4000-8000-000000000302"
	seedNotePersonal = "05000000-0000-4000-8000-000000000303"
	seedNoteForeign  = "05000000-0000-4000-8000-000000000304"
	seedInsightOne   = "05000000-0000-4000-8000-000000000401"
	seedInsightTwo   = "05000000-0000-4000-8000-000000000402"
	seedPrefOne      = "05000000-0000-4000-8000-000000000501"
	seedPrefTwo      = "05000000-0000-4000-8000-000000000502"
)

func seedWorld() *world {
	subject, ours, theirs := seedSubject, seedTeam, seedForeignTeam
	personal, teams, foreign := seedPersonal, seedTeamProject, seedForeign
	hour := func(h int) time.Time { return time.Date(2026, 6, 24, h, 0, 0, 0, time.UTC) }
	noteAt := func(id, mission, author string, h int) note {
		return note{id: id, missionID: mission, userID: author, status: "not-started", notes: text("note " + id), createdAt: hour(h), updatedAt: hour(h)}
	}
	memory := func(id string) insight {
		return insight{id: id, userID: subject, content: "insight " + id, source: "agent", category: "general", createdAt: hour(5), updatedAt: hour(5)}
	}
	pref := func(id, key string, value document) preference {
		return preference{id: id, userID: subject, key: key, value: value, category: "general", createdAt: hour(5), updatedAt: hour(5)}
	}
	return &world{
		users:   []user{{subject}, {seedOther}},
		teams:   []team{{ours, subject}, {theirs, seedOther}},
		members: []member{{ours, subject}},
		projects: []project{
			{id: personal, ownerType: "user", ownerID: &subject},
			{id: teams, ownerType: "team", teamID: &ours},
			{id: foreign, ownerType: "team", teamID: &theirs},
		},
		missions: []mission{
			{seedAtPersonal, &personal, subject}, {seedAtTeam, &teams, subject}, {seedAtForeign, &foreign, subject},
		},
		notes: []note{
			noteAt(seedNoteTeam, seedAtTeam, subject, 3), noteAt(seedNoteOther, seedAtTeam, seedOther, 2),
			noteAt(seedNotePersonal, seedAtPersonal, subject, 1), noteAt(seedNoteForeign, seedAtForeign, subject, 4),
		},
		insights:    []insight{memory(seedInsightOne), memory(seedInsightTwo)},
		preferences: []preference{pref(seedPrefOne, "fed-m3-05-pref-1", `{"enabled": true}`), pref(seedPrefTwo, "fed-m3-05-pref-2", `{"enabled": false}`)},
	}
}

// seedStore opens a database with the seed's rows.
func seedStore(t *testing.T, open Open) (DB, *listquery.Store) {
	t.Helper()
	db := open(t)
	seedWorld().load(t, db)
	return db, db.store(t)
}

func seedDeniesSensitive(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	for _, resource := range []string{"credentials", "api_keys"} {
		n := db.meter.during(func() {
			access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "grant-1", Peer: "peer-1", Subject: seedSubject, Resource: resource})
			if err != nil || access.Allowed || access.Personal || len(access.Teams) > 0 {
				t.Errorf("native access to %s is %+v, %v; it must be denied without an error", resource, access, err)
			}
		})
		if n != 0 {
			t.Errorf("denying %s took %d statements", resource, n)
		}
	}
}

func seedAllowsMemory(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	n := db.meter.during(func() {
		access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Grant: "grant-1", Peer: "peer-1", Subject: seedSubject, Resource: "memory"})
		if err != nil || !access.Allowed || !access.Personal || len(access.Teams) > 0 {
			t.Errorf("native access to memory is %+v, %v; it must be personal and without teams", access, err)
		}
	})
	if n != 0 {
		t.Errorf("access to memory took %d statements, and needs no team", n)
	}
}

func seedAppliesCap(t *testing.T, open Open) {
	db := open(t)
	w := seedWorld()
	home := seedPersonal
	for i := range 3 {
		w.tasks = append(w.tasks, task{
			id: "05000000-0000-4000-8000-00000000060" + string(rune('1'+i)), title: "t", status: "done", priority: "low",
			projectID: &home, createdAt: noon.Add(time.Duration(i) * time.Hour), updatedAt: noon,
		})
	}
	w.load(t, db)
	s := db.store(t)
	f := scope.Filter{Resource: "tasks", Subject: seedSubject, Personal: true, Limit: 2}
	first, next := page(t, s, f, nil)
	if len(first) != 2 || next == nil {
		t.Fatalf("the first page has %d rows and next %v; 2 rows and a position are due", len(first), next)
	}
	second, end := page(t, s, f, next)
	if len(second) != 1 || end != nil {
		t.Fatalf("the second page has %d rows and next %v; 1 row and no position are due", len(second), end)
	}
	sameRows(t, "both pages", decodeItems(t, append(first, second...)), oracle{world: w}.list(f))
}

func seedRejectsCursors(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	layout, ok := s.Layout("tasks")
	if !ok {
		t.Fatal("the store knows no layout of tasks")
	}
	codec, err := cursor.New(cursor.Config{Form: cursor.Plain})
	if err != nil {
		t.Fatalf("no plain codec: %v", err)
	}
	_, err = codec.Decode(layout.Bind(cursor.Query{Resource: "tasks"}), "not-base64-json")
	if !errors.Is(err, cursor.ErrInvalid) {
		t.Errorf("the cursor not-base64-json gives %v, which is no ErrInvalid", err)
	}
	f := scope.Filter{Resource: "tasks", Subject: seedSubject, Personal: true, Limit: 2}
	n := db.meter.during(func() {
		rows, next, err := s.List(t.Context(), f, cursor.Position{cursor.TextValue("not-base64-json")})
		if !errors.Is(err, listquery.ErrPosition) || rows != nil || next != nil {
			t.Errorf("a position of another order gives %d rows, next %v and %v", len(rows), next, err)
		}
	})
	if n != 0 {
		t.Errorf("refusing a position took %d statements", n)
	}
}

func seedUnencodable(t *testing.T, open Open) {
	db := open(t)
	w := seedWorld()
	home := seedPersonal
	for i := range 2 {
		w.tasks = append(w.tasks, task{
			id: "05000000-0000-4000-8000-00000000070" + string(rune('1'+i)), title: "t", status: "done", priority: "low",
			projectID: &home, createdAt: time.Date(10000, 1, 1, 0, 0, i, 0, time.UTC), updatedAt: noon,
		})
	}
	w.load(t, db)
	s := db.store(t)
	rows, next, err := s.List(t.Context(), scope.Filter{Resource: "tasks", Subject: seedSubject, Personal: true, Limit: 1}, nil)
	if err != nil {
		return // refused by the store itself
	}
	if next == nil {
		t.Fatalf("a page of %d rows of the year 10000 claims to be the last; one row is lost in silence", len(rows))
	}
	layout, _ := s.Layout("tasks")
	codec, err := cursor.New(cursor.Config{Form: cursor.Plain})
	if err != nil {
		t.Fatalf("no plain codec: %v", err)
	}
	if token, err := codec.Encode(layout.Bind(cursor.Query{Resource: "tasks"}), next); !errors.Is(err, cursor.ErrUnencodable) {
		t.Errorf("a position in the year 10000 gives the cursor %q and %v, which is no ErrUnencodable", token, err)
	}
}

func seedUnsupported(t *testing.T, open Open) {
	db, s := seedStore(t, open)
	n := db.meter.during(func() {
		rows, _, err := s.List(t.Context(), scope.Filter{Resource: "unknown-resource", Subject: seedSubject, Personal: true, Limit: 2}, nil)
		if !errors.Is(err, listquery.ErrUnknownResource) || rows != nil {
			t.Errorf("an unknown resource gives %d rows and %v, which is no ErrUnknownResource", len(rows), err)
		}
	})
	if n != 0 {
		t.Errorf("an unknown resource took %d statements", n)
	}
}

// notesOf lists the seed's notes and compares their ids, newest first.
func notesOf(t *testing.T, open Open, personal bool, want ...string) {
	t.Helper()
	_, s := seedStore(t, open)
	rows, next := page(t, s, scope.Filter{Resource: "notes", Subject: seedSubject, Personal: personal, Teams: []string{seedTeam}, Limit: 10}, nil)
	if diff := cmp.Diff(want, idsOf(decodeItems(t, rows)), cmpopts.EquateEmpty()); diff != "" || next != nil {
		t.Errorf("the notes with personal=%t are not those due, next %v (-due +came):\n%s", personal, next, diff)
	}
}

func seedNotesOfOthers(t *testing.T, open Open) { notesOf(t, open, false, seedNoteTeam) }
func seedNotesPersonal(t *testing.T, open Open) { notesOf(t, open, false, seedNoteTeam) }
func seedNotesOutside(t *testing.T, open Open) {
	notesOf(t, open, true, seedNoteTeam, seedNotePersonal)
}

func seedMemory(t *testing.T, open Open) {
	_, s := seedStore(t, open)
	f := scope.Filter{Resource: "memory", Subject: seedSubject, Personal: true, Limit: 2}
	first, next := page(t, s, f, nil)
	if next == nil {
		t.Fatal("the first page of memory claims to be the last")
	}
	second, end := page(t, s, f, next)
	if end != nil {
		t.Errorf("the last page of memory names the next position %v", end)
	}
	if diff := cmp.Diff([]string{seedInsightTwo, seedInsightOne}, idsOf(decodeItems(t, first))); diff != "" {
		t.Errorf("the first page is not the insights (-due +came):\n%s", diff)
	}
	if diff := cmp.Diff([]string{seedPrefTwo, seedPrefOne}, idsOf(decodeItems(t, second))); diff != "" {
		t.Errorf("the second page is not the preferences (-due +came):\n%s", diff)
	}
}
