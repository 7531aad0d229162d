package federation

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestADeadPeerIsLeftAloneForAWhile(t *testing.T) {
	f := newFederation(t, 2, true)
	f.fill(10)
	dead := f.sources[1]
	down := func(r *fakeReply) { r.err = errors.New("connection refused") }
	status := func() SourceStatus {
		t.Helper()
		page, err := f.list(t.Context(), 3, "")
		if err != nil {
			t.Fatal(err)
		}
		return sourceNamed(page, "peer:p01")
	}
	dead.fault = down
	for range breakAfter {
		if s := status(); s.State != SourceFailed || s.Code != ErrUnreachable {
			t.Errorf("the dead peer is %+v", s)
		}
	}
	if s := status(); s.State != SourceSkipped || s.Code != ErrCircuitOpen || dead.asked != breakAfter {
		t.Errorf("after %d requests it is %+v", dead.asked, s)
	}
	f.sleep(firstBreak)
	if s := status(); s.State != SourceFailed || dead.asked != breakAfter+1 {
		t.Errorf("after a break and %d requests it is %+v", dead.asked, s)
	}
	f.sleep(firstBreak)
	if s := status(); s.State != SourceSkipped {
		t.Errorf("the second break is not longer than the first: %+v", s)
	}
	f.sleep(firstBreak)
	dead.fault = nil
	for range 2 {
		if s := status(); s.State != SourceOK {
			t.Errorf("back again, it is %+v", s)
		}
	}
}

func TestARefusalDoesNotBreakTheCircuit(t *testing.T) {
	f := newFederation(t, 1, true)
	f.fill(3)
	f.sources[1].fault = func(r *fakeReply) { r.status, r.body = 403, `{"error":{"code":"forbidden","message":"m"}}` }
	for n := range 3 * breakAfter {
		page, err := f.list(t.Context(), 3, "")
		if s := sourceNamed(page, "peer:p01"); err != nil || s.State != SourceDenied || s.Code != ErrForbidden || f.sources[1].asked != n+1 {
			t.Errorf("the refusal %d is %+v: %v", n, s, err)
		}
	}
}

// A page that had no time left for its peers says nothing of them.
func TestAPeerThatHadNoTimeIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 1, true)
		f.fill(3)
		f.peers[0].Client = newFakeClient(t, &lateTransport{f.sources[1], time.Second})
		for range 2 * breakAfter {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			page, err := f.list(ctx, 3, "")
			if s := sourceNamed(page, "peer:p01"); err != nil || s.Code != ErrTimeout {
				t.Errorf("a peer without time is %v: %v", s, err)
			}
			cancel()
		}
		page, err := f.list(t.Context(), 3, "")
		if s := sourceNamed(page, "peer:p01"); err != nil || s.State != SourceOK {
			t.Errorf("with time it is %v: %v", s, err)
		}
	})
}

func TestAPeerIsLeftAloneAsLongAsItAsks(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := breakers{now: func() time.Time { return now }}
	began, _ := b.allow("b")
	b.report("b", began, &PeerError{Code: ErrRateLimited, RetryAfter: 7 * time.Second})
	now = now.Add(7*time.Second - 1)
	if _, allowed := b.allow("b"); allowed {
		t.Error("a peer is asked before its Retry-After is over")
	}
	if _, allowed := b.allow("c"); !allowed {
		t.Error("another peer is not asked")
	}
	now = now.Add(1)
	if began, allowed := b.allow("b"); !allowed {
		t.Error("it is not asked any more")
	} else {
		b.report("b", began, nil)
	}
	if len(b.open) != 0 {
		t.Errorf("of a peer that answered %v is remembered", b.open)
	}
}

func TestRequestsThatWereUnderWayTogetherFailOnce(t *testing.T) {
	b := breakers{now: time.Now}
	var began []int
	for range 10 * breakAfter {
		n, _ := b.allow("b")
		began = append(began, n)
	}
	for _, n := range began {
		b.report("b", n, &PeerError{Code: ErrTimeout})
	}
	if _, allowed := b.allow("b"); !allowed {
		t.Error("one failure of many requests broke the circuit")
	}
}
