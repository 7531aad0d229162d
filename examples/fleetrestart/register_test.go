package main

import (
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// Two machines have a fleet each, and one database.
func TestOfTheFleetsOfSeveralMachinesOneRestartsAtATime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	here, there := newFleet(t), newFleet(t)
	first := start(t, here, "-register", dsn, "-agents", "1", "-hold", "300ms")
	first.awaits(t, "granted")
	second := runToEnd(t, there, "-register", dsn, "-agents", "1", "-wait", "30s")
	if ended := first.end(t); ended.code != 0 || second.code != 0 {
		t.Fatalf("the restarts end with %d and %d: %s%s", ended.code, second.code, ended.stderr, second.stderr)
	}
	if !hasLine(second.stdout, "waiting, held by") {
		t.Errorf("the second restart does not wait for the first one:\n%s", second.stdout)
	}
}

func TestARegisterThatIsNoneIsAMistake(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"mysql://a", "etcd://", "postgres://%", "a"} {
		if registerMistake(text) == "" {
			t.Errorf("-register takes %q", text)
		}
	}
	for _, text := range []string{"", "postgres://a/b", "postgresql://a/b", "etcd://a:2379,b:2379"} {
		if mistake := registerMistake(text); mistake != "" {
			t.Errorf("-register refuses %q: %s", text, mistake)
		}
	}
}
