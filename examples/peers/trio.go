package main

import (
	"context"
	"log"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// A trio is the three gateways. It is safe for concurrent use.
type trio struct {
	client *federation.Client // of home, as the reader

	mu      sync.Mutex
	cards   map[string]card
	running map[string]*process
}

// reader is the name under which home knows who reads from it.
const reader = "reader"

// startTrio starts east and west, and then home, which must know where they are.
func startTrio(ctx context.Context) (*trio, error) {
	t := &trio{cards: make(map[string]card), running: make(map[string]*process)}
	var peers []contact
	for _, name := range []string{east, west} {
		peer, err := t.add(ctx, name, nil, home)
		if err != nil {
			t.stop()
			return nil, err
		}
		peers = append(peers, peer)
	}
	entrance, err := t.add(ctx, home, peers, reader)
	if err == nil {
		t.client, err = entrance.client()
	}
	if err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// add starts a gateway for the first time, and returns how the one who may ask it does.
func (t *trio) add(ctx context.Context, name string, peers []contact, asks string) (contact, error) {
	o, err := newOffice(name)
	if err != nil {
		return contact{}, err
	}
	admitted, err := o.admit(ctx, asks)
	if err != nil {
		return contact{}, err
	}
	o.Peers = peers
	t.cards[name] = o.card
	if err := t.start(ctx, name); err != nil {
		return contact{}, err
	}
	admitted.URL = t.cards[name].url()
	return admitted, nil
}

// start starts a gateway that does not run, where it was before.
func (t *trio) start(ctx context.Context, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.cards[name]
	p, err := startProcess(ctx, c)
	if err != nil {
		return err
	}
	c.Addr = p.addr
	t.cards[name], t.running[name] = c, p
	return nil
}

// kill ends a gateway as a crash does.
func (t *trio) kill(name string) { t.process(name).kill() }

func (t *trio) process(name string) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running[name]
}

// describe says where the gateways are.
func (t *trio) describe(say *log.Logger) {
	for _, name := range []string{home, east, west} {
		p := t.process(name)
		say.Printf("   %-6s pid %d serves %d tasks at https://%s", name, p.pid, len(titles[name]), p.addr)
	}
}

// revive starts each gateway again that has ended, after a rest, until ctx ends.
func (t *trio) revive(ctx context.Context, rest time.Duration, say *log.Logger) {
	var all sync.WaitGroup
	for _, name := range []string{home, east, west} {
		all.Go(func() { t.reviveOne(ctx, name, rest, say) })
	}
	all.Wait()
}

func (t *trio) reviveOne(ctx context.Context, name string, rest time.Duration, say *log.Logger) {
	for {
		select {
		case <-t.process(name).ended:
		case <-ctx.Done():
			return
		}
		say.Printf("   %-6s is gone, and starts again in %s", name, rest)
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
		if err := t.start(ctx, name); err != nil {
			say.Printf("   %-6s does not start: %v", name, err)
			continue
		}
		say.Printf("   %-6s is back as pid %d", name, t.process(name).pid)
	}
}

// stop ends all gateways.
func (t *trio) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.running {
		p.stop()
	}
}
