package lawtest

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// lawOfPagesOverHTTP is laws 1 to 3 once more, with everything between the
// socket and the table in place.
func lawOfPagesOverHTTP(t *testing.T, open Open) {
	run(t, open, []trial{
		{"pages of random grants are the oracle's answer", pagesOfGrants},
		{"a row visible throughout appears exactly once", pagesUnderChurnOverHTTP},
		{"peers that ask at the same moment get their own pages", peersAtOnce},
	})
}

func pagesOfGrants(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	g := newGateway(t, db)
	var seen tally
	play(t, 4, seen.bites, func() {
		w := newWorld(r, small)
		w.load(t, db)
		for range 4 {
			k, subject := randomTerms(r, w), oneOf(r, w.users).id
			g.grant(t, "grant-1", subject, k)
			for _, resource := range resources {
				f, granted := k.filter(w, subject, resource)
				if !granted {
					g.list("grant-1", resource, "").refused(t, "a resource that is not granted", http.StatusForbidden, "scope_violation")
					continue
				}
				want := oracle{world: w}.list(f)
				seen.add(len(want), len(oracle{world: w}.candidates(resource)))
				for _, limit := range []int{1, 1 + r.IntN(k.Cap), k.Cap} {
					if limit <= k.Cap {
						sameRows(t, "the pages of "+describe(f), g.walk(t, "grant-1", resource, limit), want)
					}
				}
			}
		}
	})
	t.Log(&seen)
}

// pagesUnderChurnOverHTTP walks by HTTP while the writers of law 2 write.
func pagesUnderChurnOverHTTP(t *testing.T, open Open) {
	db, r, th, _ := openTheatre(t, open, 20)
	g := newGateway(t, db)
	g.grant(t, "grant-1", th.subject, everything(plenty))

	var writes atomic.Int64
	stop := th.churn(t, db, r, &writes)
	defer stop()
	walkUnderChurn(t, rounds(t, 4), &writes, func() {
		for _, resource := range resources {
			limit := 2 + r.IntN(4)
			th.judge(t, resource, limit, g.walk(t, "grant-1", resource, limit))
		}
	})
}

// peersAtOnce asks for the same pages one after the other and then all at once.
// What is pooled or shared inside must not carry anything from one to another.
func peersAtOnce(t *testing.T, open Open) {
	db, r := open(t), newRandom(t)
	w := newWorld(r, small)
	w.load(t, db)
	g := newGateway(t, db)
	alone := map[string]reply{}
	for i, u := range w.users {
		for _, resource := range resources {
			token := fmt.Sprintf("%d-%s", i, resource)
			g.grant(t, token, u.id, everything(2+i))
			alone[token] = g.list(token, resource, "")
			if _, next := alone[token].page(t); next != "" {
				alone[token] = g.list(token, resource, ask(0, next))
				alone[token+" "+next] = alone[token]
				delete(alone, token)
			}
		}
	}
	var wg sync.WaitGroup
	for key, want := range alone {
		var token, resource, next string
		fmt.Sscan(key, &token, &next)
		resource = token[2:]
		wg.Go(func() {
			for range 10 {
				if got := g.list(token, resource, ask(0, next)); got.String() != want.String() {
					t.Errorf("%s among other peers gives %v instead of %v", key, got, want)
				}
			}
		})
	}
	wg.Wait()
}
