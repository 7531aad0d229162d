package lawtest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A store stands in for the host's getter.
var _ federation.Getter = (*listquery.Store)(nil)

// getTrials hold the reading of one row to the list.
func getTrials(t *testing.T, open Open) {
	run(t, open, []trial{
		{"finds a row exactly if the complete list has it", getIffListed},
		{"finds a row of the host exactly if the complete list has it", getInvoicesIffListed},
		{"answers an id that can be no key without a statement", getOfNoKey},
		{"tells keys apart where the database does not", getByCollation},
		{"reads the row that is listed first of two with one key", getOfTwins},
	})
}

// everyID names each row of the world, of every table, listed or not.
func (w *world) everyID() []string {
	var ids []string
	for _, r := range w.rows() {
		for _, c := range r.columns() {
			if id, ok := c.value.(string); ok && c.name == "id" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// getIffListed is the law of get: whatever the world and the filter, get finds the
// ids of the complete list, with the members that the list gives them, and no other.
func getIffListed(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	s := db.store(t)
	var seen tally
	play(t, 3, seen.bites, func() {
		w := newWorld(r, small)
		w.load(t, db)
		ids := append(w.everyID(), r.uuid(), "", "no uuid")
		for _, resource := range resources {
			for range 2 {
				f := randomFilter(r, w, resource)
				listed := walk(t, s, f)
				sameRows(t, "the list of "+describe(f), listed, oracle{world: w}.list(f))
				seen.add(len(listed), len(oracle{world: w}.candidates(resource)))
				f.Limit = r.IntN(3) // which plays no part
				getEach(t, s, f, ids, listed)
			}
		}
	})
	t.Log(&seen)
}

// getEach gets every id, and compares what is found with the complete list.
func getEach(t *testing.T, g federation.Getter, f scope.Filter, ids []string, listed []map[string]any) {
	t.Helper()
	names := idsOf(listed)
	for _, id := range ids {
		row, found, err := g.Get(t.Context(), f, id)
		at := slices.Index(names, id)
		if err != nil || found != (at >= 0) || found != (row != nil) {
			t.Fatalf("get of %q by %s: found %t with %s and %v, and it stands in the list at %d", id, describe(f), found, row, err, at)
		}
		if found {
			sameRows(t, "the row "+id+" of "+describe(f), decodeItems(t, []json.RawMessage{row}), listed[at:at+1])
		}
	}
}

// getInvoicesIffListed is the same law for a resource with an integer key, and with a
// condition of the host's that has an OR at its top.
func getInvoicesIffListed(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	all := invoices(t, db, r, 45)
	var seen tally
	play(t, 2, seen.bites, func() {
		for _, key := range []string{"number", "id"} {
			s := db.storeOf(t, db.SQL, listquery.Schema{}, defineInvoices(t, db, invoiceOrder{key: key}))
			f := scope.Filter{
				Resource: "invoices", Subject: oneOf(r, []string{"user-1", "user-2", "stranger"}),
				Personal: r.chance(70), Teams: someOf(r, []string{"blue", "green", "red", `{"}`}), Limit: plenty,
			}
			keyOf := func(v invoice) string {
				if key == "id" {
					return v.ID.String()
				}
				return strconv.FormatInt(v.Number, 10)
			}
			listed := map[string]bool{}
			for _, item := range walk(t, s, f) {
				listed[item["id"].(string)] = true
			}
			seen.add(len(listed), len(all))
			for _, v := range all {
				row, found, err := s.Get(t.Context(), f, keyOf(v))
				if err != nil || found != listed[v.ID.String()] || found && !strings.Contains(string(row), v.ID.String()) {
					t.Fatalf("get of %s by %s: %t, %s, %v; listed: %t", keyOf(v), describe(f), found, row, err, listed[v.ID.String()])
				}
			}
		}
	})
	t.Log(&seen)
}

// noKeys are ids that no row of the standard schema can have.
func noKeys(good string) []string {
	return []string{
		"", " ", "1", "no uuid", good + " ", " " + good, good + "\x00", good[:35], good + "0", strings.ToUpper(good), "{" + good + "}",
		"urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), "\xff", "'; DROP TABLE tasks; --", "../" + good, good + "/" + good, "%", "*", "null",
		strings.Repeat("0", 1<<20), "00000000-0000-0000-0000-00000000000g", "٠" + good[2:],
	}
}

func getOfNoKey(t *testing.T, open Open) {
	db, e, w := tiedEstate(t, open, 3)
	s := db.store(t)
	ids := map[string]string{"tasks": "abcdefab-0000-4000-8000-000000000001", "notes": w.notes[0].id, "memory": w.insights[0].id}
	for resource, good := range ids {
		for _, id := range noKeys(good) {
			n := db.meter.during(func() {
				if row, found, err := s.Get(t.Context(), e.filter(resource, 1), id); found || row != nil || err != nil {
					t.Errorf("get of %.60q finds %t, %s, %v", id, found, row, err)
				}
			})
			// An id without letters is its own upper case, and good as it is.
			if n != 0 && id != good {
				t.Errorf("get of %.60q took %d statements", id, n)
			}
		}
	}
	n := db.meter.during(func() {
		if _, found, err := s.Get(t.Context(), scope.Filter{Resource: "tasks", Subject: e.subject}, w.tasks[0].id); found || err != nil {
			t.Errorf("a filter that shows nothing finds %t, %v", found, err)
		}
	})
	if n != 0 {
		t.Errorf("a filter that shows nothing took %d statements", n)
	}
	n = db.meter.during(func() {
		if _, found, err := s.Get(t.Context(), e.filter("tasks", 1), w.tasks[0].id); !found || err != nil {
			t.Errorf("a good id finds %t, %v", found, err)
		}
	})
	if n != 1 {
		t.Errorf("a good id took %d statements", n)
	}
}

// getByCollation has a text key that the database compares without regard to case.
// What the list does not write is not found.
func getByCollation(t *testing.T, open Open) {
	db := open(t)
	if db.Dialect == listquery.SQLite {
		db.exec(t, "CREATE TABLE pages (slug text COLLATE NOCASE PRIMARY KEY, user_id text)")
	} else {
		db.exec(t, "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
		db.exec(t, "CREATE TABLE pages (slug text COLLATE folded PRIMARY KEY, user_id text)")
	}
	db.exec(t, "INSERT INTO pages VALUES ('Home/ü', 'user-1')")
	type page struct {
		Slug string `json:"id"`
	}
	pages, err := listquery.Define(listquery.Definition[page]{
		Name: "pages", Table: "pages", Key: "slug", Visible: listquery.Personal("user_id"),
		Columns: []listquery.Column[page]{listquery.Col("slug", func(p *page) *string { return &p.Slug })},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := db.storeOf(t, db.SQL, listquery.Schema{}, pages)
	f := scope.Filter{Resource: "pages", Subject: "user-1", Personal: true, Limit: plenty}
	getEach(t, s, f, []string{"Home/ü", "home/ü", "HOME/ü", "Home/u", "Home", "", "Home/ü\x00", "\xff"}, walk(t, s, f))
}

// getOfTwins has an insight and a preference with one id, of which lists have both.
func getOfTwins(t *testing.T, open Open) {
	db, e, w := tiedEstate(t, open, 2)
	db.exec(t, "UPDATE preferences SET id = ? WHERE id = ?", w.insights[0].id, w.preferences[0].id)
	row, found, err := db.store(t).Get(t.Context(), e.filter("memory", 1), w.insights[0].id)
	if err != nil || !found {
		t.Fatalf("get finds %t, %v", found, err)
	}
	if items := decodeItems(t, []json.RawMessage{row}); items[0]["type"] != "insight" {
		t.Errorf("of two rows with one key get reads %s", row)
	}
}
