package federation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// AuditQueueConfig is what an AuditQueue is made of.
type AuditQueueConfig struct {
	// Auditor keeps the records. Required. It is called by one goroutine.
	Auditor Auditor

	// Size is how many records may wait. One takes about 300 bytes and its text, and
	// that of a list over several gateways 50 more for each source. Defaults to 1024.
	Size int

	// Timeout bounds one call of Auditor, through its context. Defaults to 10 seconds.
	Timeout time.Duration
}

// An AuditQueue is an [Auditor] that never holds an answer up and never fails: records
// wait in memory for another Auditor to keep them, in the order in which they came.
// This is the best that can be done without making answers depend on the audit, and it
// loses records: those that find the queue full or closed, those that the Auditor does
// not keep, and those that wait when the process ends without Close. Dropped and Failed
// count them.
type AuditQueue struct {
	auditor Auditor
	timeout time.Duration
	waiting chan Record

	mu      sync.RWMutex // held to send records while the queue is open
	closed  bool
	closing chan struct{}
	ended   chan struct{} // everything that was sent has been handed on

	dropped, failed atomic.Uint64
}

// NewAuditQueue starts a queue. Close ends it.
func NewAuditQueue(cfg AuditQueueConfig) (*AuditQueue, error) {
	switch {
	case cfg.Auditor == nil:
		return nil, errors.New("federation: AuditQueueConfig.Auditor is required")
	case cfg.Size < 0:
		return nil, errors.New("federation: AuditQueueConfig.Size is negative")
	case cfg.Timeout < 0:
		return nil, errors.New("federation: AuditQueueConfig.Timeout is negative")
	}
	if cfg.Size == 0 {
		cfg.Size = 1024
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	q := &AuditQueue{
		auditor: cfg.Auditor,
		timeout: cfg.Timeout,
		waiting: make(chan Record, cfg.Size),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go q.work()
	return q, nil
}

// Audit lets the record wait for its turn. It does not wait itself and returns nil.
func (q *AuditQueue) Audit(_ context.Context, r Record) error {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		q.dropped.Add(1)
		return nil
	}
	select {
	case q.waiting <- r:
	default:
		q.dropped.Add(1)
	}
	return nil
}

// Dropped returns how many records found no place: the queue was full, or closed.
func (q *AuditQueue) Dropped() uint64 { return q.dropped.Load() }

// Failed returns how many records the Auditor did not keep: it returned an error,
// panicked, or took too long.
func (q *AuditQueue) Failed() uint64 { return q.failed.Load() }

// Close takes no more records and waits until those that wait have been handed to the
// Auditor. The error is that of a context which ended before; the rest is then still
// on its way. Close may be called more than once.
func (q *AuditQueue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	select {
	case <-q.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *AuditQueue) work() {
	defer close(q.ended)
	for {
		select {
		case r := <-q.waiting:
			q.keep(r)
		case <-q.closing:
			q.drain()
			return
		}
	}
}

// drain keeps what is left. No record comes any more.
func (q *AuditQueue) drain() {
	for {
		select {
		case r := <-q.waiting:
			q.keep(r)
		default:
			return
		}
	}
}

// keep hands one record to the Auditor.
func (q *AuditQueue) keep(r Record) {
	ctx, cancel := context.WithTimeout(context.Background(), q.timeout)
	defer cancel()
	_, err := contained("auditor", func() (struct{}, error) {
		return struct{}{}, q.auditor.Audit(ctx, r)
	})
	if err != nil || ctx.Err() != nil {
		q.failed.Add(1)
	}
}
