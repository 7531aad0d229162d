package main

import (
	"database/sql"
	"regexp"
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

func TestAWorldIsKeptUntilItIsAnother(t *testing.T) {
	s := &server{dsn: pgtest.DSN(t)}
	small := world{"fedkit_bench_kept", 10, []string{"INSERT INTO users VALUES ('a', 'A', 'a@example.test')"}}
	other := small
	other.rows = 20
	db, err := sql.Open("postgres", s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer db.Exec("DROP SCHEMA IF EXISTS fedkit_bench_kept CASCADE")
	for _, step := range []struct {
		world world
		kept  bool
	}{{small, false}, {small, true}, {other, false}, {other, true}, {small, false}} {
		dsn, kept, err := s.newSchema(t.Context(), step.world)
		if err != nil {
			t.Fatal(err)
		}
		if kept != step.kept {
			t.Fatalf("that the world of %d rows is there is %v, want %v", step.world.rows, kept, step.kept)
		}
		if kept {
			continue
		}
		there, err := sql.Open("postgres", dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := step.world.load(t.Context(), there); err != nil {
			t.Fatal(err)
		}
		there.Close()
	}
}

func TestARunMayBeOfSomeCellsAlone(t *testing.T) {
	b := &bench{options: options{cells: regexp.MustCompile("^Tasks: .* 200 teams, deep$"), ours: true}}
	sections := b.sections()
	if len(sections) != 1 || len(sections[0].cells) != 1 || sections[0].cells[0].label() != "tasks, 200 teams, deep" {
		t.Fatalf("the sections are %+v", sections)
	}
	for _, c := range sections[0].contenders {
		if !c.ours {
			t.Errorf("%s takes part", c.name)
		}
	}
}
