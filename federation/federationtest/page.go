package federationtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// A page is a list's 200.
type page struct {
	Items      []map[string]any
	NextCursor string
}

// page reads an answer as a page.
func (p *probe) page(a answer) page {
	var read page
	if a.status != http.StatusOK {
		p.fatalf("%v came, where a page was due", a)
	}
	if err := json.Unmarshal(a.body, &read); err != nil {
		p.fatalf("%v is no page: %v", a, err)
	}
	return read
}

// ask is the body of a list request.
func ask(limit int, cursor string) string {
	members := []string{}
	if limit > 0 {
		members = append(members, fmt.Sprintf(`"limit":%d`, limit))
	}
	if cursor != "" {
		text, err := json.Marshal(cursor)
		if err != nil {
			panic(err) // it is a string
		}
		members = append(members, `"cursor":`+string(text))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// walk lists a resource to its end, by pages of the limit.
func (p *probe) walk(grant, resource string, limit int) []map[string]any {
	var all []map[string]any
	cursor, most := "", len(p.shown(grant, resource))+5
	for range most {
		a := p.list(grant, resource, ask(limit, cursor))
		got := p.page(a)
		if len(got.Items) > limit {
			p.failf("%v has %d rows, and the limit is %d", a, len(got.Items), limit)
		}
		all = append(all, got.Items...)
		if cursor = got.NextCursor; cursor == "" {
			return all
		}
		if len(all) >= most-5 {
			p.failf("%v offers a next page, and has the last of %d rows", a, most-5)
		}
	}
	p.fatalf("%s by %q with limit %d has no end after %d pages", resource, grant, limit, most)
	return nil
}

// rows holds rows to what is due, in its order and member by member.
func (p *probe) rows(what string, got []map[string]any, due []row) {
	for i := range max(len(got), len(due)) {
		switch {
		case i >= len(due):
			p.fatalf("%s: row %d is %v, and there should be no more", what, i, got[i]["id"])
		case i >= len(got):
			p.fatalf("%s: row %d is missing: it is %s of %s", what, i, due[i].id, due[i].at.Format(time.RFC3339Nano))
		case got[i]["id"] != due[i].id:
			p.fatalf("%s: row %d is %v, and should be %s", what, i, got[i]["id"], due[i].id)
		}
		p.row(what, got[i], due[i])
	}
}

// row holds the members of one row to what is due.
func (p *probe) row(what string, got map[string]any, due row) {
	for member, want := range due.members {
		if value := got[member]; !equal(value, want) {
			p.failf("%s: %s of the row %s is %v, and should be %v", what, member, due.id, value, want)
		}
	}
}

// equal compares times as instants and everything else as JSON.
func equal(got, want any) bool {
	a, isTime := moment(got)
	b, dueTime := moment(want)
	if isTime && dueTime {
		return a.Equal(b)
	}
	return reflect.DeepEqual(got, want)
}
