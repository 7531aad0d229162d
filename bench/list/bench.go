package main

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// A bench has the worlds, and the run through them.
type bench struct {
	options
	server  schemas
	say     func(format string, args ...any)
	take    func(section, cell) bool // says which cells are measured, if not all
	dsns    map[string]string
	run     *run
	version string
}

// schemas is where worlds are made.
type schemas interface {
	newSchema(ctx context.Context, w world) (dsn string, kept bool, err error)
}

func (b *bench) worlds() []world {
	worlds := []world{evenWorld(b.rows), skewedWorld(b.rows)}
	if b.grow > 1 {
		worlds = append(worlds, grownWorld(b.rows*b.grow))
	}
	return worlds
}

func (b *bench) sections() []section {
	sections := []section{tasksSection(), othersSection(), skewSection(), genericSection(), unpreparedSection()}
	if b.grow > 1 {
		sections = append(sections, growthSection())
	}
	for i := range sections {
		s := &sections[i]
		all := *s
		s.cells = slices.DeleteFunc(s.cells, func(c cell) bool { return !b.takes(all, c) })
		s.contenders = slices.DeleteFunc(s.contenders, func(c contender) bool { return b.ours && !c.ours })
	}
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.cells) == 0 })
}

// takes reports whether a cell is measured.
func (b *bench) takes(s section, c cell) bool {
	if b.take != nil && !b.take(s, c) {
		return false
	}
	return b.cells == nil || b.cells.MatchString(s.title+": "+c.label())
}

func (b *bench) measure(ctx context.Context) (err error) {
	b.run = &run{worlds: make(map[string]*sql.DB), places: make(map[spot]*place), found: make(map[string]request),
		rounds: b.rounds, patience: time.Minute, say: b.say}
	b.dsns = make(map[string]string)
	defer func() { err = errors.Join(err, b.run.close()) }()
	for _, w := range b.worlds() {
		if err := b.open(ctx, w); err != nil {
			return err
		}
	}
	if b.version, err = version(ctx, b.run.worlds["even"]); err != nil {
		return err
	}
	sections := b.sections()
	if err := b.furnish(sections); err != nil {
		return err
	}
	if err := b.run.settle(ctx, sections); err != nil {
		return err
	}
	b.say("comparing the rows of all contenders")
	if err := b.run.verify(ctx); err != nil {
		return err
	}
	return b.run.measure(ctx)
}

// open makes a world, unless it is there.
func (b *bench) open(ctx context.Context, w world) error {
	dsn, kept, err := b.server.newSchema(ctx, w)
	if err != nil {
		return err
	}
	b.dsns[w.name] = dsn
	// Looking for pages takes hash tables of all that shows.
	db, err := sql.Open("postgres", with(dsn, "work_mem", "256MB"))
	if err != nil {
		return err
	}
	b.run.worlds[w.name] = db
	if kept {
		b.say("the world %s is there", w.name)
		return w.check(ctx, db)
	}
	b.say("making the world %s: %d tasks", w.name, w.rows)
	return w.load(ctx, db)
}

// furnish makes the places where the contenders of all sections read.
func (b *bench) furnish(sections []section) error {
	for _, s := range sections {
		for _, c := range s.contenders {
			at := spot{s.worldOf(c), s.mode}
			if b.run.places[at] != nil {
				continue
			}
			p, err := newPlace(b.dsns[at.world], at.mode)
			if err != nil {
				return err
			}
			b.run.places[at] = p
		}
	}
	return nil
}

func (r *run) close() error {
	var errs []error
	for _, p := range r.places {
		errs = append(errs, p.close())
	}
	for _, db := range r.worlds {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
