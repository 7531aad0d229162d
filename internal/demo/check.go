package demo

import "fmt"

// check reports the first row whose id another row has, or that refers to a row
// that is not there. The tables stand in the order of their references.
func check(tables []table) error {
	ids := map[string]map[any]int{}
	for _, t := range tables {
		rows := make(map[any]int, t.len())
		ids[t.name] = rows
		for i := range t.len() {
			columns := t.at(i)
			member, id := identity(columns)
			if first, taken := rows[id]; taken {
				return &Error{t.name, i, member, fmt.Sprintf("is the same as in %s[%d]", t.name, first)}
			}
			rows[id] = i
			if err := checkReferences(columns, ids, Error{Table: t.name, Row: i}); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkReferences(columns []column, ids map[string]map[any]int, place Error) error {
	for _, c := range columns {
		id := c.value(Postgres)
		if c.refers == "" || id == nil {
			continue
		}
		if _, ok := ids[c.refers][id]; !ok {
			place.Member, place.Reason = c.name, fmt.Sprintf("is %q, which is not among %s", id, c.refers)
			return &place
		}
	}
	return nil
}

// identity returns the primary key of a row and the member it is in: the id, or the
// pair of ids of a row that only joins two others.
func identity(columns []column) (member string, id any) {
	if columns[0].name == "id" {
		return "id", columns[0].value(Postgres)
	}
	return "", [2]any{columns[0].value(Postgres), columns[1].value(Postgres)}
}
