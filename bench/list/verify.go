package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// verify has every contender read the page of every cell once, and compares: a contender
// that reads other rows is none.
func (r *run) verify(ctx context.Context) error {
	var errs []error
	for _, j := range r.jobs() {
		for i, one := range j.table.contenders {
			if err := r.verifyOne(ctx, j, one); err != nil {
				err = fmt.Errorf("%s, %s, %s: %w", j.table.title, j.table.cells[j.cell].label(), one.name, err)
				var wrong *wrongRowsError
				if one.ours || errors.As(err, &wrong) || ctx.Err() != nil {
					errs = append(errs, err)
				} else {
					r.say("%v", err)
					j.table.measured[j.cell][i].failed = err
				}
			}
		}
	}
	return errors.Join(errs...)
}

func (r *run) verifyOne(ctx context.Context, j job, one contender) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	c, q, p := j.table.cells[j.cell], j.table.requests[j.cell][index(one.grown)], r.place(j.table.section, one)
	want, err := pageOf(floor(ctx, p, c.resource, q))
	if err != nil {
		return err
	}
	got, err := pageOf(one.page(ctx, p, c.resource, q))
	if err != nil {
		return err
	}
	if one.name == theFloor || one.name == grownFloor { // the only one without an order
		got = inOrder(got, q.keys)
	}
	want = inOrder(want, q.keys)
	for _, rows := range []*[]row{&want, &got} {
		*rows = (*rows)[:min(pageRows, len(*rows))]
	}
	return compare(want, got, min(pageRows, len(q.keys)))
}

// A row is what its JSON says, whatever the type that a contender reads it into.
type row map[string]any

func pageOf(page any, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	var rows []row
	err = json.Unmarshal(text, &rows)
	return rows, err
}

// inOrder puts rows into the order of the keys.
func inOrder(rows []row, keys []key) []row {
	by := make(map[any]row)
	for _, r := range rows {
		by[r["id"]] = r
	}
	var ordered []row
	for _, k := range keys {
		if r := by[k.id]; r != nil {
			ordered = append(ordered, r)
		}
	}
	return ordered
}

// A wrongRowsError is a page with other rows than it should have.
type wrongRowsError struct{ what string }

func (e *wrongRowsError) Error() string { return e.what }

func compare(want, got []row, size int) error {
	if len(want) != size || len(got) != size {
		return &wrongRowsError{fmt.Sprintf("the page has %d rows, the floor %d, and there are %d", len(got), len(want), size)}
	}
	for i := range want {
		if !reflect.DeepEqual(want[i], got[i]) {
			return &wrongRowsError{fmt.Sprintf("row %d is %v and not %v", i, got[i], want[i])}
		}
	}
	return nil
}
