package federation

import (
	"errors"
	"sync"
	"time"
)

var errTooManyAtOnce = errors.New("federation: the grant has as many requests under way as it may have")

// retryWhenBusy is when a peer with too many requests under way may try again.
const retryWhenBusy = time.Second

// inflight counts the requests that are under way, by grant. It remembers grants with
// requests alone, so it is never longer than the list of connections.
type inflight struct {
	most int // of one grant; 0: any number

	mu      sync.Mutex
	running map[string]int
}

// enter lets one more request of a grant in, if there is room.
func (f *inflight) enter(grant string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[grant] >= f.most {
		return false
	}
	if f.running == nil {
		f.running = make(map[string]int)
	}
	f.running[grant]++
	return true
}

func (f *inflight) leave(grant string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[grant]--; f.running[grant] <= 0 {
		delete(f.running, grant)
	}
}

// enter is the last part of row 4. The request has left when it has been answered: a
// peer that reads slowly uses up its own room.
func (h *handler) enter(x *exchange) *refusal {
	if h.running.most == 0 {
		return nil
	}
	if !h.running.enter(x.grant.ID) {
		return &refusal{code: codeTooManyAtOnce, err: errTooManyAtOnce, retryAfter: retryWhenBusy}
	}
	x.entered = true
	return nil
}

// leave ends what enter began.
func (h *handler) leave(x *exchange) {
	if x.entered {
		h.running.leave(x.grant.ID)
	}
}
