package etcdlock

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// Config says where the keys are.
type Config struct {
	// Client is that of the cluster. Required. Who closes it is up to the host.
	Client *clientv3.Client

	// Prefix begins all keys. Defaults to "fleetlock/".
	Prefix string
}

// Register is a [fleetlock.Register]. Its methods may be called at the same time.
type Register struct {
	client *clientv3.Client
	prefix string
	leases pool

	mu    sync.Mutex
	known map[string]*knowledge // by name
}

// New returns the register of a cluster that answers.
func New(ctx context.Context, cfg Config) (*Register, error) {
	if cfg.Client == nil {
		return nil, errors.New("etcdlock: Config.Client is required")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "fleetlock/"
	}
	r := &Register{client: cfg.Client, prefix: cfg.Prefix, leases: pool{client: cfg.Client}, known: make(map[string]*knowledge)}
	if _, err := r.client.Get(ctx, r.prefix, clientv3.WithKeysOnly()); err != nil {
		return nil, fmt.Errorf("etcdlock: the cluster does not answer: %w", err)
	}
	return r, nil
}

// base begins the keys of a name, and of no other.
func (r *Register) base(name string) string { return r.prefix + url.PathEscape(name) + "/" }

func recordKey(base string) string { return base + "record" }

// aliveKey is bound to a lease, and so is there as long as that lives. It stays when the
// term is over that the lease was for: it will do for the next one.
func aliveKey(base string, lease clientv3.LeaseID) string {
	return aliveKeys(base) + strconv.FormatInt(int64(lease), 16)
}

func aliveKeys(base string) string { return base + "alive/" }

// of returns what is known of a name. The caller holds mu.
func (r *Register) of(name string) *knowledge {
	k, ok := r.known[name]
	if !ok {
		k = newKnowledge()
		r.known[name] = k
	}
	return k
}

// Load implements [fleetlock.Register].
func (r *Register) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	base := r.base(name)
	got, err := hedged(ctx, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return r.client.Txn(ctx).Then(
			clientv3.OpGet(recordKey(base)),
			clientv3.OpGet(aliveKeys(base), clientv3.WithPrefix(), clientv3.WithKeysOnly()),
		).Commit()
	})
	if err != nil {
		return fleetlock.Record{}, err
	}
	now := time.Now()
	loaded := fleetlock.Record{Token: uint64(got.Header.Revision)}
	var v value
	for _, kv := range got.Responses[0].GetResponseRange().Kvs {
		if v, err = decodeValue(string(kv.Value), kv.ModRevision); err != nil {
			return fleetlock.Record{}, fmt.Errorf("etcdlock: the key %s: %w", recordKey(base), err)
		}
		loaded.Version, loaded.Token, loaded.Text = uint64(kv.ModRevision), max(loaded.Token, v.token), v.text
	}
	alive := make(map[clientv3.LeaseID]bool)
	for _, kv := range got.Responses[1].GetResponseRange().Kvs {
		id, _ := strconv.ParseInt(strings.TrimPrefix(string(kv.Key), aliveKeys(base)), 16, 64) // of another's key: zero
		alive[clientv3.LeaseID(id)] = true
	}
	delete(alive, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.of(name)
	if !k.meet(got.Header.Revision, loaded.Version, v.terms, alive, now) {
		k = newKnowledge() // that of this load alone
		k.meet(got.Header.Revision, loaded.Version, v.terms, alive, now)
	}
	for _, t := range v.terms {
		loaded.Terms = append(loaded.Terms, fleetlock.Term{ID: t.id, Left: k.left(t, now)})
	}
	return loaded, nil
}

// termsAt returns the terms that a version of a record names. It is ErrChanged if that is
// not the version any more.
func (r *Register) termsAt(ctx context.Context, name string, version uint64) (map[string]term, error) {
	known := func() (terms map[string]term, newest uint64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		k := r.of(name)
		return k.terms, k.version
	}
	terms, newest := known()
	if newest < version || version == 0 && newest > 0 {
		if _, err := r.Load(ctx, name); err != nil {
			return nil, err
		}
		terms, newest = known()
	}
	if newest != version {
		return nil, fleetlock.ErrChanged
	}
	return terms, nil
}

// Watch implements [fleetlock.Register]. It ends when the member that it asks has lost
// the majority, so that another one is asked.
func (r *Register) Watch(ctx context.Context, name string, changed func()) error {
	watching, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for got := range r.client.Watch(watching, r.base(name), clientv3.WithPrefix(), clientv3.WithCreatedNotify()) {
		if err := got.Err(); err != nil {
			return errors.Join(ctx.Err(), err)
		}
		if got.Created || r.note(name, got.Events) {
			changed()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New("etcdlock: the watch has ended")
}

// note remembers when terms began, and reports whether somebody waits for one of the
// events.
func (r *Register) note(name string, events []*clientv3.Event) (loud bool) {
	now, record := time.Now(), recordKey(r.base(name))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		switch isRecord := string(e.Kv.Key) == record; {
		case isRecord && e.Type == clientv3.EventTypePut:
			v, err := decodeValue(string(e.Kv.Value), e.Kv.ModRevision)
			r.of(name).see(v.terms, now)
			loud = loud || err != nil || !v.quiet
		case isRecord, e.Type == clientv3.EventTypeDelete:
			loud = true // a lease is over, or the record has gone
		}
	}
	return loud
}
