package etcdlock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
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

func (r *Register) recordKey(name string) string   { return r.base(name) + "record" }
func (r *Register) termKey(name, id string) string { return r.base(name) + "term/" + id }

// of returns what is known of a name. The caller holds mu.
func (r *Register) of(name string) *knowledge {
	k, ok := r.known[name]
	if !ok {
		k = &knowledge{terms: make(map[string]term)}
		r.known[name] = k
	}
	return k
}

// Load implements [fleetlock.Register].
func (r *Register) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	got, err := hedged(ctx, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return r.client.Txn(ctx).Then(
			clientv3.OpGet(r.recordKey(name)),
			clientv3.OpGet(r.base(name)+"term/", clientv3.WithPrefix()),
		).Commit()
	})
	if err != nil {
		return fleetlock.Record{}, err
	}
	now := time.Now()
	records, terms := got.Responses[0].GetResponseRange().Kvs, got.Responses[1].GetResponseRange().Kvs
	loaded := fleetlock.Record{Token: uint64(got.Header.Revision)}
	if len(records) == 0 {
		return loaded, nil
	}
	v, err := decodeValue(string(records[0].Value))
	if err != nil {
		return fleetlock.Record{}, fmt.Errorf("etcdlock: the key %s: %w", r.recordKey(name), err)
	}
	loaded.Version, loaded.Token, loaded.Text = uint64(records[0].ModRevision), max(loaded.Token, v.token), v.text
	r.mu.Lock()
	defer r.mu.Unlock()
	k, found := r.of(name), r.times(name, terms)
	k.meet(loaded.Version, v.terms, found, now)
	for _, id := range v.terms {
		left := found[id].length
		if k.version == loaded.Version { // else another load has overtaken this one
			left = k.left(id, now)
		}
		loaded.Terms = append(loaded.Terms, fleetlock.Term{ID: id, Left: left})
	}
	return loaded, nil
}

// times reads the terms that have a key.
func (r *Register) times(name string, kvs []*mvccpb.KeyValue) map[string]term {
	terms := make(map[string]term, len(kvs))
	for _, kv := range kvs {
		length, _ := strconv.ParseInt(string(kv.Value), 10, 64) // of another's key: zero
		id := strings.TrimPrefix(string(kv.Key), r.termKey(name, ""))
		terms[id] = term{revision: kv.ModRevision, length: time.Duration(length)}
	}
	return terms
}

// Swap implements [fleetlock.Register].
func (r *Register) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if seen > math.MaxInt64 {
		return 0, fleetlock.ErrChanged // no revision
	}
	before, err := r.termsAt(ctx, name, seen)
	if err != nil {
		return 0, err
	}
	key := r.recordKey(name)
	mine := newValue(next)
	then := []clientv3.Op{clientv3.OpPut(key, mine.encode())}
	begun := make(map[string]time.Duration)
	for _, t := range next.Terms {
		delete(before, t.ID)
		if t.Length <= 0 {
			continue
		}
		lease, err := r.leases.get(ctx, r.termKey(name, t.ID), t.Length)
		if err != nil {
			return 0, err
		}
		begun[t.ID] = t.Length
		then = append(then, clientv3.OpPut(r.termKey(name, t.ID), strconv.FormatInt(int64(t.Length), 10), clientv3.WithLease(lease)))
	}
	for id := range before {
		if len(then) == maxOps {
			break // the rest ends with its leases
		}
		then = append(then, clientv3.OpDelete(r.termKey(name, id)))
	}
	// Of several one succeeds. If another one's answer comes first, it finds the record
	// that the first has put.
	got, err := hedged(ctx, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return r.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", int64(seen))).Then(then...).Else(clientv3.OpGet(key)).Commit()
	})
	if err != nil {
		return 0, err
	}
	revision := got.Header.Revision
	if !got.Succeeded {
		if revision = putBy(mine.stamp, got); revision == 0 {
			return 0, fleetlock.ErrChanged
		}
	}
	for id := range before {
		r.leases.put(r.termKey(name, id))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(name).write(revision, next.Terms, begun, time.Now())
	return uint64(revision), nil
}

// putBy returns the revision of the record that a swap found in the place of another, if it
// was the same swap that put it there, and zero otherwise.
func putBy(stamp string, got *clientv3.TxnResponse) int64 {
	for _, kv := range got.Responses[0].GetResponseRange().Kvs {
		if v, err := decodeValue(string(kv.Value)); err == nil && v.stamp == stamp {
			return kv.ModRevision
		}
	}
	return 0
}

// maxOps is how many operations a server lets a transaction have.
const maxOps = 128

// termsAt returns the terms that a version of a record names.
func (r *Register) termsAt(ctx context.Context, name string, version uint64) (map[string]bool, error) {
	r.mu.Lock()
	k := r.of(name)
	known := version == 0 || k.version == version
	r.mu.Unlock()
	if !known {
		if _, err := r.Load(ctx, name); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	terms := make(map[string]bool, len(k.ids))
	if k.version == version {
		for _, id := range k.ids {
			terms[id] = true
		}
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
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		switch isRecord := string(e.Kv.Key) == r.recordKey(name); {
		case isRecord && e.Type == clientv3.EventTypePut:
			v, err := decodeValue(string(e.Kv.Value))
			loud = loud || err != nil || !v.quiet
		case isRecord:
			loud = true
		case e.Type == clientv3.EventTypePut:
			r.of(name).see(r.times(name, []*mvccpb.KeyValue{e.Kv}), now)
		default:
			loud = true // a term is over
		}
	}
	return loud
}
