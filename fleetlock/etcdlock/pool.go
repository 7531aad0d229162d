package etcdlock

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A pool has the leases of this client: one for each term that it has begun, and those of
// terms that it has ended, to be used again, because a lease costs a round of the cluster.
type pool struct {
	client *clientv3.Client

	mu   sync.Mutex
	held map[string]lease  // by key
	idle map[int64][]lease // by time to live
}

// A lease is one that lasts until its time to live after it was asked for has passed,
// at the earliest.
type lease struct {
	id    clientv3.LeaseID
	ttl   int64     // seconds
	asked time.Time // last, by the clock of this process
	uses  int       // the terms that it was for, before this one
}

func (l lease) over() bool { return time.Since(l.asked) > time.Duration(l.ttl)*time.Second }

// margin is how long after a lease was asked for it is good for a whole term still.
const margin = 250 * time.Millisecond

func seconds(d time.Duration) int64 { return int64((d + margin + time.Second - 1) / time.Second) }

// maxUses is for how many terms a lease is used at most. It has a key for each name that
// one of them was of, and keeps them all.
const maxUses = 100

// get returns a lease for a key that lasts for the length from now on at least.
func (p *pool) get(ctx context.Context, key string, length time.Duration) (clientv3.LeaseID, error) {
	ttl := seconds(length)
	for l, ok := p.take(key, ttl); ok; l, ok = p.take(key, ttl) {
		if time.Since(l.asked) > margin {
			asked := time.Now()
			switch lives, err := p.keepAlive(ctx, l); {
			case err != nil:
				p.hold(key, l)
				return 0, err
			case !lives:
				continue
			}
			l.asked = asked
		}
		p.hold(key, l)
		return l.id, nil
	}
	asked := time.Now()
	granted, err := hedged(ctx, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) { return p.client.Grant(ctx, ttl) })
	if err != nil {
		return 0, err
	}
	p.hold(key, lease{id: granted.ID, ttl: ttl, asked: asked})
	return granted.ID, nil
}

// keepAlive has a lease begin again, and reports whether there is still one.
func (p *pool) keepAlive(ctx context.Context, l lease) (bool, error) {
	return hedged(ctx, func(ctx context.Context) (bool, error) {
		_, err := p.client.KeepAliveOnce(ctx, l.id)
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return false, nil
		}
		return err == nil, err
	})
}

// take returns the lease of a key, or else one that is not used.
func (p *pool) take(key string, ttl int64) (lease, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, ok := p.held[key]; ok {
		delete(p.held, key)
		if l.ttl == ttl && !l.over() {
			return l, true
		}
	}
	idle := p.idle[ttl]
	if len(idle) == 0 {
		return lease{}, false
	}
	l := idle[len(idle)-1] // the newest
	if p.idle[ttl] = idle[:len(idle)-1]; l.over() {
		delete(p.idle, ttl) // and so are the others
		return lease{}, false
	}
	return l, true
}

func (p *pool) hold(key string, l lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(map[string]lease)
	}
	maps.DeleteFunc(p.held, func(_ string, l lease) bool { return l.over() }) // of keys that others deleted
	p.held[key] = l
}

// drop forgets the lease of a key.
func (p *pool) drop(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, key)
}

// put has the lease of a key that was deleted used for others.
func (p *pool) put(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.held[key]
	if !ok {
		return // of another client
	}
	delete(p.held, key)
	if l.uses++; l.uses == maxUses {
		return // it ends by itself
	}
	if p.idle == nil {
		p.idle = make(map[int64][]lease)
	}
	idle := append(p.idle[l.ttl], l)
	for len(idle) > 0 && idle[0].over() {
		idle = idle[1:]
	}
	p.idle[l.ttl] = idle
}
