package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

// A network is a gateway in this process, its peers in processes of their own, and a proxy
// before each of them.
type network struct {
	processes []*process
	proxies   []*proxy
	client    *federation.Client
}

const peerCount = 4

// newNetwork puts a gateway before the processes. A source has the given time for each
// page.
func newNetwork(tb testing.TB, timeout time.Duration, processes []*process) *network {
	tb.Helper()
	n := &network{processes: processes}
	var peers []federation.Peer
	for i := range peerCount {
		n.proxies = append(n.proxies, newProxy(tb, processes[i].address))
		client, err := federation.NewClient(federation.ClientConfig{
			URL: n.proxies[i].url(), HTTP: &http.Client{Transport: &http.Transport{}}, MaxResponse: 1 << 20,
		})
		if err != nil {
			tb.Fatal(err)
		}
		peers = append(peers, federation.Peer{Name: fmt.Sprintf("p%d", i+1), Client: client})
	}
	fanOut, err := federation.NewFanOut(federation.FanOutConfig{
		Peers:         func(context.Context, scope.Grant) ([]federation.Peer, error) { return peers, nil },
		Keys:          keys(),
		SourceTimeout: timeout,
	})
	if err != nil {
		tb.Fatal(err)
	}
	handler, err := newHandler(rowsOf(0), fanOut)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(contracttest.Watch(tb, handler))
	tb.Cleanup(server.Close)
	n.client, err = federation.NewClient(federation.ClientConfig{
		URL: server.URL, HTTP: &http.Client{Transport: &http.Transport{}}, Timeout: 2 * time.Minute, Attempts: 1,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// startGateways starts a process for each peer, which ends with the test.
func startGateways(tb testing.TB) (processes []*process) {
	tb.Helper()
	for i := range peerCount {
		processes = append(processes, startGateway(tb, i+1))
	}
	return processes
}

// names of the sources, by name.
func names() []string {
	all := []string{"local"}
	for i := range peerCount {
		all = append(all, fmt.Sprintf("peer:p%d", i+1))
	}
	return all
}

// A reading is what came of one merged list.
type reading struct {
	rows   []string // in order, with their source
	pages  []federation.Page
	failed map[string]federation.ErrorCode // by source: how it failed first
	slow   time.Duration                   // the longest page
	broken []string                        // laws
}

// read reads the list to its end and holds it to the laws. Before is called before each
// page. A page for which all sources failed is asked for again.
func (n *network) read(ctx context.Context, limit func() int, before func(page int)) reading {
	r := reading{failed: make(map[string]federation.ErrorCode)}
	var last row
	lastSource := ""
	asked := federation.ListRequest{Source: "all"}
	for more, tries := true, 0; more; {
		before(len(r.pages) + tries)
		asked.Limit = limit()
		began := time.Now()
		page, err := n.client.List(ctx, "tasks", asked)
		r.slow = max(r.slow, time.Since(began))
		if err != nil {
			if tries++; !errors.Is(err, federation.ErrUnavailable) || tries > 50 {
				r.breaks("the page %d: %v", len(r.pages), err)
				return r
			}
			continue
		}
		for _, item := range page.Items {
			var read struct {
				ID        cursor.UUID `json:"id"`
				CreatedAt time.Time   `json:"createdAt"`
				Source    string      `json:"_source"`
			}
			if err := json.Unmarshal(item, &read); err != nil {
				r.breaks("the row %s: %v", item, err)
				continue
			}
			this := row{read.CreatedAt.UnixMicro(), read.ID}
			if c := last.compare(this); len(r.rows) > 0 && (c > 0 || c == 0 && lastSource >= read.Source) {
				r.breaks("%v of %s stands before %v of %s", last, lastSource, this, read.Source)
			}
			last, lastSource = this, read.Source
			r.rows = append(r.rows, label(this, read.Source))
		}
		r.checkSources(page)
		r.pages = append(r.pages, page)
		asked.Cursor, more = page.Next, page.Next != ""
	}
	r.checkRows()
	return r
}

func label(r row, source string) string { return fmt.Sprintf("%d %s %s", r.micros, r.id, source) }

func (r *reading) breaks(format string, args ...any) {
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

func (r *reading) checkSources(page federation.Page) {
	for _, s := range page.Sources {
		if s.State == federation.SourceOK || s.State == federation.SourceExhausted {
			continue
		}
		if _, before := r.failed[s.Name]; !before {
			r.failed[s.Name] = s.Code
		}
	}
	if page.Partial != (len(r.failed) > 0) {
		r.breaks("the page %d: %v failed, and partial is %t", len(r.pages), r.failed, page.Partial)
	}
}

// checkRows: what was given is there, and a source that never failed gave everything.
func (r *reading) checkRows() {
	given := make(map[string]bool)
	for _, row := range r.rows {
		given[row] = true
	}
	for i, name := range names() {
		for _, row := range rowsOf(i) {
			key := label(row, name)
			if _, failed := r.failed[name]; !failed && !given[key] {
				r.breaks("%s is missing, and its source never failed", key)
			}
			delete(given, key)
		}
	}
	for key := range given {
		r.breaks("%s was never there", key)
	}
}

func fixed(limit int) func() int { return func() int { return limit } }

// What one peer does is its own loss: the others stay complete, and it is named.
func TestOneBadPeerAmongGoodOnes(t *testing.T) {
	processes := startGateways(t)
	for name, c := range map[string]struct {
		fault fault
		want  federation.ErrorCode // empty: it does not matter
	}{
		"latency":                 {late(5 * time.Millisecond), ""},
		"reset":                   {resetAtOnce, federation.ErrUnreachable},
		"reset in the middle":     {cutAfter(900, true), federation.ErrUnreachable},
		"truncated":               {cutAfter(900, false), federation.ErrUnreachable},
		"truncated header":        {cutAfter(30, false), federation.ErrUnreachable},
		"half open":               {halfOpen, federation.ErrTimeout},
		"slow body":               {slowly, federation.ErrTimeout},
		"slow header":             {slowHeader, federation.ErrTimeout},
		"1 GB announced":          {huge(true), federation.ErrProtocolViolation},
		"1 GB":                    {huge(false), federation.ErrProtocolViolation},
		"another's rows":          {rewriting(`"_source":"local"`, `"_source":"peer1"`), federation.ErrProtocolViolation},
		"no key":                  {rewriting(`"createdAt"`, `"createdAu"`), federation.ErrProtocolViolation},
		"no JSON":                 {answering(200, "<html>"), federation.ErrProtocolViolation},
		"an empty page with more": {answering(200, `{"items":[],"nextCursor":"x","_truncated":true}`), federation.ErrProtocolViolation},
		"a row again and again":   {answering(200, `{"items":[{"id":"00000000-0000-0000-0000-000000000000","createdAt":"2030-01-01T00:00:00Z","_source":"local"}],"nextCursor":"x","_truncated":true}`), federation.ErrProtocolViolation},
		"a 500":                   {answering(500, `{"error":{"code":"internal_error","message":"m"}}`), federation.ErrInternal},
		"a refusal":               {answering(403, `{"error":{"code":"forbidden","message":"m"}}`), federation.ErrForbidden},
		"a redirection":           {answering(307, ``), federation.ErrProtocolViolation},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := patiently
			if c.want == federation.ErrTimeout {
				timeout = time.Second
			}
			n, r := readSpoiled(t, processes, timeout, c.fault)
			for timeout < patiently && r.goodAreLate() { // the machine is too slow for the good ones
				timeout *= 4
				n, r = readSpoiled(t, processes, timeout, c.fault)
			}
			for _, broken := range r.broken {
				t.Error(broken)
			}
			for source, code := range r.failed {
				if source != "peer:p2" || c.want != "" && code != c.want {
					t.Errorf("%s failed with %q", source, string(code))
				}
			}
			if _, failed := r.failed["peer:p2"]; c.want != "" && !failed {
				t.Errorf("the peer did not fail: %v", r.pages[len(r.pages)-1].Sources)
			}
			if !n.proxies[1].spoiled() {
				t.Error("nothing was spoiled")
			}
			if r.slow > timeout+time.Minute {
				t.Errorf("a page took %v", r.slow)
			}
		})
	}
}

// patiently is a time for a source that does not keep anybody waiting.
const patiently = 30 * time.Second

// readSpoiled reads a list from whose third page on the second peer is bad.
func readSpoiled(t *testing.T, processes []*process, timeout time.Duration, f fault) (*network, reading) {
	n := newNetwork(t, timeout, processes)
	return n, n.read(t.Context(), fixed(55), func(page int) {
		if page == 2 {
			n.proxies[1].become(f)
		}
	})
}

// goodAreLate tells if one of the others took too long.
func (r *reading) goodAreLate() bool {
	for source, code := range r.failed {
		if source != "peer:p2" && code == federation.ErrTimeout {
			return true
		}
	}
	return false
}

// A gateway is killed while others read from it, and started again.
func TestTheListGoesOnWhileAGatewayIsKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, patiently, startGateways(t))
	r := n.read(t.Context(), fixed(25), func(page int) {
		switch page {
		case 3:
			n.processes[0].kill()
			n.proxies[0].become(nil)
		case 5:
			n.processes[0] = startGateway(t, 1)
			n.proxies[0].point(n.processes[0].address)
		}
	})
	for _, broken := range r.broken {
		t.Error(broken)
	}
	if len(r.failed) != 1 || r.failed["peer:p1"] != federation.ErrUnreachable {
		t.Errorf("failed: %v", r.failed)
	}
	// In the rest of this list, or in a later one: who was not reached is left alone a while.
	pages := r.pages[5:]
	for end := time.Now().Add(patiently); !haveRowsOf(pages, "peer:p1"); {
		if time.Now().After(end) {
			t.Fatal("nothing came of the gateway that was started again")
		}
		pages = n.read(t.Context(), fixed(25), func(int) {}).pages
	}
}

func haveRowsOf(pages []federation.Page, source string) bool {
	for _, page := range pages {
		for _, item := range page.Items {
			if strings.Contains(string(item), `"_source":"`+source+`"`) {
				return true
			}
		}
	}
	return false
}

// Random lists over a network on which anything may happen to any peer at any time.
func TestRandomChaos(t *testing.T) {
	t.Parallel()
	lists := 3
	if os.Getenv("FEDKIT_TORTURE") != "" {
		lists = 500
	}
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	n := newNetwork(t, 400*time.Millisecond, startGateways(t))
	faults := []fault{
		late(time.Millisecond), late(30 * time.Millisecond), late(150 * time.Millisecond), resetAtOnce,
		cutAfter(500, true), cutAfter(3000, false), cutAfter(20_000, true), halfOpen, slowly, slowHeader,
		huge(true), huge(false), answering(503, "down"), answering(200, "<html>"),
	}
	failures, partial := 0, 0
	for range lists {
		storm := 0.3 + 0.7*rng.Float64()
		r := n.read(t.Context(), func() int { return 10 + rng.IntN(51) }, func(int) {
			for i, p := range n.proxies {
				switch {
				case rng.Float64() < storm*0.3:
					p.become(faults[rng.IntN(len(faults))])
				case rng.IntN(3) > 0:
					p.become(nil)
				}
				if rng.IntN(60) == 0 {
					n.processes[i].kill()
				}
				if n.processes[i].cmd.ProcessState != nil && rng.IntN(2) == 0 {
					n.processes[i] = startGateway(t, i+1)
					p.point(n.processes[i].address)
				}
			}
		})
		for _, broken := range r.broken {
			t.Errorf("seed %d: %s", seed, broken)
		}
		failures += len(r.failed)
		if len(r.failed) > 0 {
			partial++
		}
	}
	t.Logf("%d lists, %d of them partial, %d sources failed", lists, partial, failures)
	if failures == 0 {
		t.Error("nothing failed")
	}
}

// A peer of 1 GB costs what an answer may have, and not more.
func TestAHugeAnswerCostsLittleMemory(t *testing.T) {
	n := newNetwork(t, patiently, startGateways(t))
	for _, p := range n.proxies {
		p.become(huge(false))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := n.client.List(t.Context(), "tasks", federation.ListRequest{Source: "all"})
	runtime.ReadMemStats(&after)
	if err != nil || len(page.Items) != 60 || !page.Partial {
		t.Errorf("the page has %d rows: %v", len(page.Items), err)
	}
	// Each peer is asked up to three times, for fewer rows each time, and each buffer
	// doubles up to the limit of an answer.
	if spent := after.TotalAlloc - before.TotalAlloc; spent > peerCount*40<<20 {
		t.Errorf("four answers of 1 GB cost %d MiB of memory", spent>>20)
	}
}
