package main

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/mosaicstack/fedkit/cursor"
)

// A contender is one way to read a page.
type contender struct {
	name  string
	page  func(context.Context, *place, resource, request) (any, error)
	ours  bool // must not fail, and is measured in every round
	grown bool // reads in the grown world
}

// The rows of the tables that others are compared with, or that targets are about.
const (
	theFloor     = "floor"
	theLibrary   = "fedkit"
	theMembers   = "fedkit, members only"
	theUnknown   = "fedkit, filter unknown"
	theSeed      = "seed's shape"
	theOffset    = "OFFSET"
	theGorm      = "gorm keyset"
	grownFloor   = "floor, grown"
	grownLibrary = "fedkit, grown"
)

func fromFloor() contender { return contender{name: theFloor, ours: true, page: floor} }

func fromLibrary() contender {
	return contender{name: theLibrary, ours: true, page: func(ctx context.Context, p *place, r resource, q request) (any, error) {
		return p.plain.page(ctx, r, q)
	}}
}

// fromMembers is for grants of teams that the subject is a member of.
func fromMembers() contender {
	return contender{name: theMembers, ours: true, page: func(ctx context.Context, p *place, r resource, q request) (any, error) {
		return p.members.page(ctx, r, q)
	}}
}

// fromUnknown has a team more in each filter, which owns nothing and is never the same: the
// store does not know the filter, and has to look around for each page.
func fromUnknown() contender {
	return contender{name: theUnknown, ours: true, page: func(ctx context.Context, p *place, r resource, q request) (any, error) {
		var team cursor.UUID
		rand.Read(team[:]) // which cannot fail
		q.teams = append(slices.Clone(q.teams), team.String())
		return p.plain.page(ctx, r, q)
	}}
}

func fromSeed() contender {
	return contender{name: theSeed, page: func(ctx context.Context, p *place, r resource, q request) (any, error) {
		return r.seed(ctx, p, r, q)
	}}
}

func fromOffset() contender { return contender{name: theOffset, page: byOffset} }

func fromGorm() contender {
	return contender{name: theGorm, page: func(ctx context.Context, p *place, r resource, q request) (any, error) {
		return r.gorm(ctx, p, r, q)
	}}
}

// inGrown is a contender under another name, in the grown world.
func inGrown(c contender, name string) contender {
	c.name, c.grown = name, true
	return c
}

// everyone takes part where nothing else is said. The floor is the first.
func everyone() []contender {
	return []contender{fromFloor(), fromLibrary(), fromSeed(), fromOffset(), fromGorm()}
}
