package lawtest

import (
	crand "crypto/rand"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

// lawSeed is the seed of this process: FEDKIT_LAW_SEED, or a fresh one.
var lawSeed = sync.OnceValues(func() (uint64, error) {
	if text, ok := os.LookupEnv("FEDKIT_LAW_SEED"); ok {
		return strconv.ParseUint(text, 10, 64)
	}
	var b [8]byte
	if _, err := crand.Read(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
})

// random is a source of choices that a later run can repeat.
type random struct{ *rand.Rand }

// newRandom returns the source of the test t. It depends on the seed of the run
// and on the test's name only, so a test that is run alone makes the choices it
// made in the whole suite.
func newRandom(t *testing.T) random {
	t.Helper()
	seed, err := lawSeed()
	if err != nil {
		t.Fatalf("FEDKIT_LAW_SEED is no number: %v", err)
	}
	t.Logf("FEDKIT_LAW_SEED=%d repeats this run", seed)
	name := fnv.New64a()
	name.Write([]byte(t.Name()))
	return random{rand.New(rand.NewPCG(seed, name.Sum64()))}
}

// rounds returns how often a property test plays: FEDKIT_LAW_ROUNDS, or usual.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	text, ok := os.LookupEnv("FEDKIT_LAW_ROUNDS")
	if !ok {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FEDKIT_LAW_ROUNDS=%q is no number of rounds", text)
	}
	return n
}

// play plays a property test: the usual number of rounds, or as many as were
// asked for. It plays on while the rounds so far have not bitten, because chance
// gave them nothing to bite into, and fails the test if that does not change.
func play(t *testing.T, usual int, bites func() bool, round func()) {
	t.Helper()
	n := rounds(t, usual)
	for i := 0; i < n || !bites() && i < 10*n+20; i++ {
		round()
	}
	if !bites() {
		t.Error("the rounds had nothing to bite into; they prove too little")
	}
}

// chance says yes in percent of 100 cases.
func (r random) chance(percent int) bool { return r.IntN(100) < percent }

// uuid returns a random id in the text form of both dialects.
func (r random) uuid() string {
	var u cursor.UUID
	binary.BigEndian.PutUint64(u[:8], r.Uint64())
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	return u.String()
}

// oneOf returns a random element of a list that is not empty.
func oneOf[T any](r random, list []T) T { return list[r.IntN(len(list))] }

// someOf returns each element with an even chance, in the order of the list.
func someOf[T any](r random, list []T) []T {
	var some []T
	for _, v := range list {
		if r.chance(50) {
			some = append(some, v)
		}
	}
	return some
}

// newChild returns a source of its own for another goroutine.
func newChild(r random) *rand.Rand { return rand.New(rand.NewPCG(r.Uint64(), r.Uint64())) }
