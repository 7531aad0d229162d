package fleetlock_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// A fence lets requests through to a service whose tokens are not lower than the highest
// that it has seen. One that has to survive a restart of the service writes that down
// before it goes on.
type fence struct {
	service http.Handler

	mu      sync.Mutex
	highest uint64
}

func (f *fence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, err := strconv.ParseUint(r.Header.Get("Fencing-Token"), 10, 64)
	if err != nil {
		http.Error(w, "the request has no token", http.StatusBadRequest)
		return
	}
	// The lock is held while the service works: else a request that was let through
	// could be overtaken by one with a higher token, and come late all the same.
	f.mu.Lock()
	defer f.mu.Unlock()
	if token < f.highest {
		http.Error(w, "the token is too old", http.StatusPreconditionFailed)
		return
	}
	f.highest = token
	f.service.ServeHTTP(w, r)
}

// A service refuses who has lost the lock and does not know it.
func ExampleHeld_Token() {
	service := httptest.NewServer(&fence{service: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("restarted under the latest token")
	})})
	defer service.Close()
	restart := func(ctx context.Context, token uint64) (int, error) {
		r, err := http.NewRequestWithContext(ctx, "POST", service.URL, nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Fencing-Token", strconv.FormatUint(token, 10))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}

	ctx := context.Background()
	lock := fleetlock.On(new(fleetlocktest.Memory), "restart", fleetlock.Lease(time.Minute))
	late, err := lock.Acquire(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := lock.Break(ctx, late.Token(), "asleep since noon"); err != nil {
		fmt.Println(err)
		return
	}
	next, err := lock.Acquire(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer next.Release()
	fmt.Println(restart(next.Context(), next.Token()))
	fmt.Println(restart(ctx, late.Token()))
	// Output:
	// restarted under the latest token
	// 200 <nil>
	// 412 <nil>
}
