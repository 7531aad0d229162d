package lawtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// invoice is a row that a host defines for itself. It belongs to a team or to a
// user, and to no project.
type invoice struct {
	Number int64       `json:"number"`
	ID     cursor.UUID `json:"id"`
	User   *string     `json:"user"`
	Team   *string     `json:"team"`
	Cents  int64       `json:"cents"`
	Title  string      `json:"title"`
	Paid   bool        `json:"paid"`
	Share  *float64    `json:"share"`
	Void   bool        `json:"-"`
}

func invoiceColumns() []listquery.Column[invoice] {
	return []listquery.Column[invoice]{
		listquery.Col("number", func(i *invoice) *int64 { return &i.Number }),
		listquery.Col("id", func(i *invoice) *cursor.UUID { return &i.ID }),
		listquery.Col("user_id", func(i *invoice) **string { return &i.User }),
		listquery.Col("team", func(i *invoice) **string { return &i.Team }),
		listquery.Col("cents", func(i *invoice) *int64 { return &i.Cents }),
		listquery.Col("title", func(i *invoice) *string { return &i.Title }),
		listquery.Col("paid", func(i *invoice) *bool { return &i.Paid }),
		listquery.Col("share", func(i *invoice) **float64 { return &i.Share }),
	}
}

// resourceTrials are law 1 for resources that a host defines.
func resourceTrials(t *testing.T, open Open) {
	run(t, open, []trial{
		{"is listed in its own order", invoicesInTheirOrder},
		{"may sort text by any collation of the database", invoicesByCollation},
		{"cannot forget the tie-breaker", definitionsRefused},
	})
}

// invoices makes the table and fills it with rows that tie in every order.
func invoices(t *testing.T, db DB, r random, n int) []invoice {
	t.Helper()
	title, flag, id := "text", "integer", "text"
	if db.Dialect == listquery.Postgres {
		title, flag, id = `text COLLATE "C"`, "boolean", "uuid"
	}
	db.exec(t, fmt.Sprintf(`CREATE TABLE invoices (number bigint PRIMARY KEY, id %s NOT NULL UNIQUE, user_id text, team text,
		cents bigint NOT NULL, title %s NOT NULL, paid %s NOT NULL, share double precision, void %s NOT NULL)`, id, title, flag, flag))
	var all []invoice
	for i := range n {
		v := invoice{
			Number: int64(i)*7919 - 40000, ID: cursor.UUID{byte(r.Uint32()), 15: byte(i)},
			Cents: oneOf(r, []int64{0, 1, -1, 1 << 53, 1<<53 + 1, -1 << 63, 1<<63 - 1}),
			Title: oneOf(r, []string{"", "a", "A", "á", "ab", "a b", "a-b", "'", `\`, "𝄞", "\uffff", "Z"}),
			Paid:  r.chance(50), Void: r.chance(30),
		}
		if r.chance(60) {
			v.User = text(oneOf(r, []string{"user-1", "user-2", ""}))
		}
		if r.chance(60) {
			v.Team = text(oneOf(r, []string{"red", "blue", "green"}))
		}
		if r.chance(50) {
			share := float64(r.IntN(8)) / 8
			v.Share = &share
		}
		all = append(all, v)
		var share any
		if v.Share != nil {
			share = *v.Share
		}
		db.exec(t, "INSERT INTO invoices (number, id, user_id, team, cents, title, paid, share, void) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			v.Number, v.ID.String(), v.User, v.Team, v.Cents, v.Title, v.Paid, share, v.Void)
	}
	return all
}

// invoiceOrder is one way to list invoices, in SQL's terms and in Go's.
type invoiceOrder struct {
	orderBy   []string
	key       string
	ascending bool
	compare   func(a, b invoice) int
}

func invoiceOrders() []invoiceOrder {
	byNumber := func(a, b invoice) int { return cmp.Compare(a.Number, b.Number) }
	byID := func(a, b invoice) int { return cmp.Compare(a.ID.String(), b.ID.String()) }
	byCents := func(a, b invoice) int { return cmp.Compare(a.Cents, b.Cents) }
	byTitle := func(a, b invoice) int { return cmp.Compare(a.Title, b.Title) }
	then := func(steps ...func(a, b invoice) int) func(a, b invoice) int {
		return func(a, b invoice) int {
			for _, step := range steps {
				if c := step(a, b); c != 0 {
					return c
				}
			}
			return 0
		}
	}
	return []invoiceOrder{
		{nil, "number", true, byNumber},
		{nil, "number", false, byNumber},
		{[]string{"cents"}, "number", true, then(byCents, byNumber)},
		{[]string{"cents"}, "id", false, then(byCents, byID)},
		{[]string{"title"}, "id", true, then(byTitle, byID)},
		{[]string{"title", "cents"}, "number", false, then(byTitle, byCents, byNumber)},
		{[]string{"cents", "title"}, "id", true, then(byCents, byTitle, byID)},
	}
}

func defineInvoices(t *testing.T, db DB, o invoiceOrder) *listquery.Resource[invoice] {
	t.Helper()
	void := any(false)
	if db.Dialect == listquery.SQLite {
		void = 0
	}
	res, err := listquery.Define(listquery.Definition[invoice]{
		Name: "invoices", Table: "invoices", Columns: invoiceColumns(),
		Key: o.key, OrderBy: o.orderBy, Ascending: o.ascending,
		Visible: listquery.Any(listquery.Personal("user_id"), listquery.Teams("team")),
		// The condition's OR must not swallow what the statement adds to it.
		Where: squirrel.Or{squirrel.Eq{"void": void}, squirrel.Eq{"title": "a"}},
	})
	if err != nil {
		t.Fatalf("the order %v, %s cannot be defined: %v", o.orderBy, o.key, err)
	}
	return res
}

func invoicesInTheirOrder(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	all := invoices(t, db, r, 45)
	var seen tally
	play(t, 3, seen.bites, func() {
		for _, o := range invoiceOrders() {
			res := defineInvoices(t, db, o)
			s := db.storeOf(t, db.SQL, listquery.Schema{}, res)
			f := scope.Filter{
				Resource: "invoices", Subject: oneOf(r, []string{"user-1", "user-2", "stranger"}),
				Personal: r.chance(70), Teams: someOf(r, []string{"blue", "green", "red", `{"}`}),
			}
			want := visibleInvoices(t, all, f, o)
			seen.add(len(want), len(all))
			comparePages(t, s, f, want)
		}
	})
	t.Log(&seen)
}

// visibleInvoices is the oracle for invoices.
func visibleInvoices(t *testing.T, all []invoice, f scope.Filter, o invoiceOrder) []map[string]any {
	t.Helper()
	var seen []invoice
	for _, v := range all {
		var facts scope.Facts
		if v.User != nil {
			facts.Users = []string{*v.User}
		}
		if v.Team != nil {
			facts.Teams = []string{*v.Team}
		}
		if f.Allows(facts) && (!v.Void || v.Title == "a") {
			seen = append(seen, v)
		}
	}
	slices.SortFunc(seen, func(a, b invoice) int {
		if o.ascending {
			return o.compare(a, b)
		}
		return o.compare(b, a)
	})
	return encodeItems(t, seen)
}

// invoicesByCollation sorts by a column whose collation Go does not know. Pages
// and the one big query must agree all the same, since both sort and compare by
// the column's own collation.
func invoicesByCollation(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	invoices(t, db, r, 40)
	if db.Dialect == listquery.Postgres {
		db.exec(t, `ALTER TABLE invoices ALTER COLUMN title TYPE text COLLATE "und-x-icu"`)
	} else {
		db.exec(t, "ALTER TABLE invoices RENAME TO plain")
		db.exec(t, "CREATE TABLE invoices (number bigint PRIMARY KEY, id text, user_id text, team text, cents bigint, title text COLLATE NOCASE, paid integer, share double precision, void integer)")
		db.exec(t, "INSERT INTO invoices SELECT * FROM plain")
	}
	for _, ascending := range []bool{true, false} {
		res := defineInvoices(t, db, invoiceOrder{orderBy: []string{"title"}, key: "number", ascending: ascending})
		s := db.storeOf(t, db.SQL, listquery.Schema{}, res)
		f := scope.Filter{Resource: "invoices", Subject: "user-1", Personal: true, Teams: []string{"blue", "green", "red"}, Limit: plenty}
		want := walk(t, s, f)
		if len(want) < 10 {
			t.Fatalf("the big query has only %d rows", len(want))
		}
		for _, f.Limit = range []int{1, 2, 5} {
			sameRows(t, "the pages of "+describe(f), walk(t, s, f), want)
		}
	}
}

// definitionsRefused are definitions that would lose rows or show too many.
func definitionsRefused(t *testing.T, _ Open) {
	good := listquery.Definition[invoice]{
		Name: "invoices", Table: "invoices", Columns: invoiceColumns(), Key: "number",
		OrderBy: []string{"cents"}, Visible: listquery.Personal("user_id"),
	}
	if _, err := listquery.Define(good); err != nil {
		t.Fatalf("a good definition is refused: %v", err)
	}
	for name, spoil := range map[string]func(*listquery.Definition[invoice]){
		"without a tie-breaker":           func(d *listquery.Definition[invoice]) { d.Key = "" },
		"with a key that is not read":     func(d *listquery.Definition[invoice]) { d.Key = "secret" },
		"with a key that may be null":     func(d *listquery.Definition[invoice]) { d.Key = "user_id" },
		"ordered by what may be null":     func(d *listquery.Definition[invoice]) { d.OrderBy = []string{"share"} },
		"ordered by what is not read":     func(d *listquery.Definition[invoice]) { d.OrderBy = []string{"secret"} },
		"without visibility":              func(d *listquery.Definition[invoice]) { d.Visible = listquery.Visibility{} },
		"with visibility All of nothing":  func(d *listquery.Definition[invoice]) { d.Visible = listquery.All() },
		"with a visibility that lets all": func(d *listquery.Definition[invoice]) { d.Visible = listquery.Is("team", "red") },
		"visible to the subject's column": func(d *listquery.Definition[invoice]) { d.Visible = listquery.Subject("user_id") },
		"with an empty Eq as condition":   func(d *listquery.Definition[invoice]) { d.Where = squirrel.Eq{} },
		"with an empty And as condition":  func(d *listquery.Definition[invoice]) { d.Where = squirrel.And{} },
		"without a name":                  func(d *listquery.Definition[invoice]) { d.Name = "" },
		"with a name of capitals":         func(d *listquery.Definition[invoice]) { d.Name = "Invoices" },
		"without a table":                 func(d *listquery.Definition[invoice]) { d.Table = "" },
		"without columns":                 func(d *listquery.Definition[invoice]) { d.Columns = nil },
		"with a column twice":             func(d *listquery.Definition[invoice]) { d.Columns = append(invoiceColumns(), invoiceColumns()[0]) },
	} {
		d := good
		spoil(&d)
		res, err := listquery.Define(d)
		if err == nil && !showsNothing(t, res) {
			t.Errorf("a definition %s is accepted", name)
		}
	}
}

// showsNothing tells if a resource answers the widest filter with no row and no
// statement: a definition that lets nobody in may be accepted as well.
func showsNothing(t *testing.T, res *listquery.Resource[invoice]) bool {
	t.Helper()
	s, err := listquery.NewStore(noDatabase{}, listquery.Config{Dialect: listquery.SQLite, Resources: []listquery.AnyResource{res}})
	if err != nil {
		return true
	}
	rows, next, err := s.List(context.Background(), scope.Filter{Resource: "invoices", Subject: "user-1", Personal: true, Teams: []string{"red"}, Limit: 5}, nil)
	return err == nil && len(rows) == 0 && next == nil
}
