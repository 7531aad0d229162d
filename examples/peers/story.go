package main

import (
	"context"
	"errors"
	"io"
	"log"
)

// tell shows a merged list that lasts while one of its gateways does not.
func tell(ctx context.Context, say *log.Logger) error {
	say.Print("1. Three gateways start, each a process with a database and an authority of its own")
	t, err := startTrio(ctx)
	if err != nil {
		return err
	}
	defer t.stop()
	t.describe(say)

	say.Print("\n2. A reader asks home for the tasks of all, over mutual TLS")
	whole, err := read(ctx, t.client, say, func(int) error { return nil })
	if err != nil {
		return err
	}
	say.Printf("   %d tasks: %s", whole.total(), whole.sources())

	say.Print("\n3. It reads them once more; west is killed behind page 1, and is back behind page 2")
	hurt, err := read(ctx, t.client, say, func(page int) error { return t.disturb(ctx, say, page) })
	if err != nil {
		return err
	}
	say.Printf("   %d tasks of %d: %s", hurt.total(), whole.total(), hurt.sources())
	say.Printf("   What is missing is of west, and every page since has said so.")

	say.Print("\n4. It begins again, and everything is there")
	again, err := read(ctx, t.client, log.New(io.Discard, "", 0), func(int) error { return nil })
	if err != nil {
		return err
	}
	say.Printf("   %d tasks: %s", again.total(), again.sources())
	return judge(whole, hurt, again)
}

// disturb kills west behind the first page, and starts it behind the second.
func (t *trio) disturb(ctx context.Context, say *log.Logger, page int) error {
	switch page {
	case 1:
		say.Printf("   %-6s is killed: pid %d", west, t.process(west).pid)
		t.kill(west)
	case 2:
		if err := t.start(ctx, west); err != nil {
			return err
		}
		say.Printf("   %-6s is back: pid %d", west, t.process(west).pid)
	}
	return nil
}

var (
	errNotWhole  = errors.New("a list of gateways that all live is not whole")
	errNotHealed = errors.New("the list is not what it was before west was killed")
	errSilent    = errors.New("rows are missing, and the list does not say so")
	errHealthy   = errors.New("rows are missing of a gateway that lives")
)

// judge tells if the story was true.
func judge(whole, hurt, again listing) error {
	expected := len(titles[home]) + len(titles[east]) + len(titles[west])
	switch {
	case whole.partial || whole.total() != expected:
		return errNotWhole
	case again.partial || again.sources() != whole.sources():
		return errNotHealed
	case !hurt.partial && hurt.total() != whole.total():
		return errSilent
	case hurt.rows["local"] != whole.rows["local"] || hurt.rows["peer:"+east] != whole.rows["peer:"+east]:
		return errHealthy
	}
	return nil
}
