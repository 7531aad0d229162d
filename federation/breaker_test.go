package federation

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"
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
	began, _ := b.allow("b", "g")
	b.report("b", "g", began, &PeerError{Code: ErrRateLimited, RetryAfter: 7 * time.Second})
	now = now.Add(7*time.Second - 1)
	if _, allowed := b.allow("b", "g"); allowed {
		t.Error("a peer is asked before its Retry-After is over")
	}
	if _, allowed := b.allow("c", "g"); !allowed {
		t.Error("another peer is not asked")
	}
	now = now.Add(1)
	if began, allowed := b.allow("b", "g"); !allowed {
		t.Error("it is not asked any more")
	} else {
		b.report("b", "g", began, nil)
	}
	if len(b.open) != 0 {
		t.Errorf("of a peer that answered %v is remembered", b.open)
	}
}

func TestRequestsThatWereUnderWayTogetherFailOnce(t *testing.T) {
	b := breakers{now: time.Now}
	var began []int
	for range 10 * breakAfter {
		n, _ := b.allow("b", "g")
		began = append(began, n)
	}
	for _, n := range began {
		b.report("b", "g", n, &PeerError{Code: ErrTimeout})
	}
	if _, allowed := b.allow("b", "g"); !allowed {
		t.Error("one failure of many requests broke the circuit")
	}
}

// A peer has a rate for each grant: who asks too often must not keep others from it.
func TestAPeerThatIsAskedTooOftenForOneGrantIsAskedForOthers(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := breakers{now: func() time.Time { return now }}
	for n := range 3 * maxRests {
		grant := strconv.Itoa(n)
		began, allowed := b.allow("b", grant)
		if !allowed {
			t.Fatalf("the peer is not asked for the grant %d", n)
		}
		b.report("b", grant, began, &PeerError{Code: ErrRateLimited, RetryAfter: time.Second})
		if _, allowed = b.allow("b", grant); allowed {
			t.Fatalf("the peer is asked for the grant %d before its Retry-After is over", n)
		}
		now = now.Add(10 * time.Millisecond)
	}
	if n := len(b.rests); n > maxRests {
		t.Errorf("%d grants are remembered", n)
	}
}

// A certificate that has expired is that of one grant.
func TestAPeerThatRefusesOneCertificateIsNotDead(t *testing.T) {
	b := breakers{now: time.Now}
	for range 2 * breakAfter {
		began, allowed := b.allow("b", "g")
		if !allowed {
			t.Fatal("the peer is left alone")
		}
		alert := &net.OpError{Op: remoteAlert, Err: tls.AlertError(45)}
		b.report("b", "g", began, &PeerError{Code: ErrUnreachable, Err: alert})
	}
}

func TestBehindABreakOneRequestOfManyGoesThrough(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := breakers{now: func() time.Time { return now }}
	fail := func() {
		for range breakAfter {
			began, _ := b.allow("b", "g")
			b.report("b", "g", began, &PeerError{Code: ErrTimeout})
		}
	}
	fail()
	now = now.Add(firstBreak)
	through := make(chan int, 50)
	var asking sync.WaitGroup
	for n := range 50 {
		asking.Go(func() {
			if began, allowed := b.allow("b", strconv.Itoa(n)); allowed {
				through <- began
			}
		})
	}
	asking.Wait()
	if len(through) != 1 {
		t.Fatalf("%d requests go to a peer that may be dead", len(through))
	}
	// A client that hangs up says nothing of the peer, and keeps nobody from finding out.
	b.report("b", "g", <-through, &PeerError{Code: ErrCanceled})
	began, allowed := b.allow("b", "h")
	if !allowed {
		t.Fatal("a request that was given up keeps the peer from being asked")
	}
	// One that began before the break and ends now opens nothing.
	b.report("b", "g", 1, &PeerError{Code: ErrCanceled})
	if _, allowed := b.allow("b", "g"); allowed {
		t.Error("a second request goes through")
	}
	b.report("b", "h", began, nil)
	if _, allowed := b.allow("b", "g"); !allowed {
		t.Error("a peer that answers is left alone")
	}
}

// What waits in vain for its turn says nothing of the peer, either.
func TestAProbeThatGetsNoTurnIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 1, true, func(c *FanOutConfig) { c.Concurrent = 1 })
		f.fill(3)
		p := f.sources[1]
		p.fault = func(r *fakeReply) { r.err = errors.New("down") }
		for range breakAfter {
			f.list(t.Context(), 3, "")
		}
		p.fault = nil
		f.sleep(firstBreak)
		f.fanOut.turns <- struct{}{} // of somebody else
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if page, err := f.list(ctx, 3, ""); err != nil || sourceNamed(page, p.label()).Code != ErrTimeout {
			t.Fatalf("without a turn: %+v, %v", page.Sources, err)
		}
		<-f.fanOut.turns
		if page, err := f.list(t.Context(), 3, ""); err != nil || page.Partial {
			t.Errorf("with a turn: %+v, %v", page.Sources, err)
		}
	})
}
