package listquery

import (
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// The key of a table may be an integer of fewer bits than those of an id.
func TestAnIDBeyondTheIntegersOfTheColumnIsTheKeyOfNoRow(t *testing.T) {
	t.Parallel()
	type numbered struct {
		ID int64 `json:"id"`
	}
	for _, kind := range []string{"smallint", "integer", "bigint", "numeric(9)"} {
		db := pgtest.Open(t)
		execute(t, db, "CREATE TABLE things (id "+kind+" PRIMARY KEY, owner text); INSERT INTO things SELECT n, 'user-1' FROM generate_series(1, 20) n")
		r, err := Define(Definition[numbered]{
			Name: "things", Table: "things", Key: "id", Visible: Personal("owner"),
			Columns: []Column[numbered]{Col("id", func(n *numbered) *int64 { return &n.ID })},
		})
		if err != nil {
			t.Fatal(err)
		}
		f := scope.Filter{Resource: "things", Subject: "user-1", Personal: true, Limit: 7}
		for _, prepared := range []bool{false, true} {
			s := storeWith(t, db, Config{Prepared: prepared}, r)
			for _, id := range []string{"3000000000", "9223372036854775807", "-9223372036854775808", "21"} {
				if row, found, err := s.Get(t.Context(), f, id); found || err != nil {
					t.Errorf("Get of %s out of a column of %s = %s, %t, %v; want nothing", id, kind, row, found, err)
				}
			}
			if row, found, err := s.Get(t.Context(), f, "20"); !found || err != nil || string(row) != `{"id":20}` {
				t.Errorf("Get of 20 out of a column of %s = %s, %t, %v", kind, row, found, err)
			}
		}
	}
}
