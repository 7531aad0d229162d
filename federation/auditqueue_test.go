package federation

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newQueue(tb testing.TB, cfg AuditQueueConfig) *AuditQueue {
	tb.Helper()
	q, err := NewAuditQueue(cfg)
	if err != nil {
		tb.Fatalf("the queue is refused: %v", err)
	}
	return q
}

func TestAQueueKeepsRecordsInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := new(journal)
		q := newQueue(t, AuditQueueConfig{Auditor: kept})
		for i := range 500 {
			if err := q.Audit(t.Context(), Record{Bytes: i}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for i, r := range kept.kept() {
			if r.Bytes != i {
				t.Fatalf("record %d stands at %d", r.Bytes, i)
			}
		}
		if n := len(kept.kept()); n != 500 || q.Dropped()+q.Failed() != 0 {
			t.Errorf("%d records were kept, %d dropped, %d failed", n, q.Dropped(), q.Failed())
		}
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whatever the auditor behind the queue does, answers come at once and what is lost is
// counted.
func TestAQueueNeverHoldsAnAnswerUp(t *testing.T) {
	for fault, auditor := range auditFaults {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t)
			q := newQueue(t, AuditQueueConfig{Auditor: auditor, Size: 3, Timeout: time.Minute})
			h.auditor = q
			started := time.Now()
			for range 20 {
				if got := h.post(t, "tasks", ""); got.Code != http.StatusOK {
					t.Errorf("an auditor that %s: the answer is %d", fault, got.Code)
				}
			}
			if waited := time.Since(started); waited != 0 {
				t.Errorf("an auditor that %s: 20 answers took %v", fault, waited)
			}
			if err := q.Close(t.Context()); err != nil {
				t.Errorf("an auditor that %s: the queue does not close: %v", fault, err)
			}
			if q.Dropped()+q.Failed() != 20 {
				t.Errorf("an auditor that %s: %d records are counted as dropped, %d as failed", fault, q.Dropped(), q.Failed())
			}
		})
	}
}

// An auditor that aborts must not end the process.
func TestAQueueOutlivesAnAbort(t *testing.T) {
	q := newQueue(t, AuditQueueConfig{Auditor: auditorFunc(func(context.Context, Record) error { panic(http.ErrAbortHandler) })})
	_ = q.Audit(t.Context(), Record{})
	if err := q.Close(t.Context()); err != nil || q.Failed() != 1 {
		t.Errorf("the queue closes with %v, %d records failed", err, q.Failed())
	}
}

func TestAQueueWithAnAuditorThatIgnoresItsContextDropsWhatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		kept := new(journal)
		q := newQueue(t, AuditQueueConfig{Size: 4, Auditor: auditorFunc(func(ctx context.Context, r Record) error {
			<-release
			return kept.Audit(ctx, r)
		})})
		_ = q.Audit(t.Context(), Record{})
		synctest.Wait() // the first one is with the auditor
		for range 10 {
			_ = q.Audit(t.Context(), Record{})
		}
		if q.Dropped() != 6 {
			t.Errorf("%d records of 10 were dropped where 4 fit", q.Dropped())
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Close(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close of a full queue ends with %v", err)
		}
		close(release)
		if err := q.Close(t.Context()); err != nil || len(kept.kept()) != 5 {
			t.Errorf("Close ends with %v after %d records", err, len(kept.kept()))
		}
		_ = q.Audit(t.Context(), Record{})
		if q.Dropped() != 7 {
			t.Errorf("a record behind Close is not counted: %d dropped", q.Dropped())
		}
	})
}

// Each record is kept, dropped or failed, whatever runs beside it:
//
//	P: Audit, Audit, …      Q: Close
func TestNoRecordGetsLostInAQueueUncounted(t *testing.T) {
	for range 20 {
		kept := new(journal)
		q := newQueue(t, AuditQueueConfig{Auditor: kept, Size: 8})
		var wait sync.WaitGroup
		const writers, each = 8, 50
		for w := range writers {
			wait.Go(func() {
				for i := range each {
					_ = q.Audit(context.Background(), Record{RequestID: strconv.Itoa(w*each + i)})
					if i == each/2 && w == 0 {
						_ = q.Close(context.Background())
					}
				}
			})
		}
		wait.Wait()
		if err := q.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := uint64(len(kept.kept())); n+q.Dropped()+q.Failed() != writers*each {
			t.Fatalf("%d records were kept, %d dropped and %d failed of %d", n, q.Dropped(), q.Failed(), writers*each)
		}
	}
}

func TestAQueueNeedsAnAuditor(t *testing.T) {
	for _, cfg := range []AuditQueueConfig{{}, {Auditor: new(journal), Size: -1}, {Auditor: new(journal), Timeout: -1}} {
		if q, err := NewAuditQueue(cfg); q != nil || err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}
