package listquery

import (
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestAStoreKnowsTheWayOfAFilterUntilItLeadsNowhere(t *testing.T) {
	l := newLearned()
	key := l.key(scope.Filter{Resource: "tasks", Subject: "user-1", Limit: 50})
	if got := l.wayOf(key); got != looks {
		t.Fatalf("a new store knows the way %d", got)
	}
	l.learn(key, looks, walks)
	if got := l.wayOf(key); got != walks {
		t.Errorf("the way after a walk is %d, want %d", got, walks)
	}
	l.learn(key, walks, looks) // an empty page says nothing
	if got := l.wayOf(key); got != walks {
		t.Errorf("the way after a page without rows is %d, want %d", got, walks)
	}
	l.learn(key, walks, strays)
	if got := l.wayOf(key); got != looks {
		t.Errorf("the way after a walk that led nowhere is %d, want to look around", got)
	}
	l.learn(key, looks, strays)
	if got := l.wayOf(key); got != looks {
		t.Errorf("to merge many values is known as the way %d, want to look around each time", got)
	}
}

func TestAStoreLooksAroundAgainNowAndThen(t *testing.T) {
	l := newLearned()
	key := l.key(scope.Filter{Resource: "tasks", Subject: "user-1", Limit: 50})
	for round := range 2 {
		l.learn(key, looks, merges)
		for page := range pagesKnown {
			if got := l.wayOf(key); got != merges {
				t.Fatalf("round %d: page %d goes the way %d, want %d", round, page, got, merges)
			}
			l.learn(key, merges, merges)
		}
		if got := l.wayOf(key); got != looks {
			t.Errorf("round %d: after %d pages the way is %d, want to look around", round, pagesKnown, got)
		}
	}
}

func TestWhatIsKnownOfAFilterIsOfNoOther(t *testing.T) {
	l := newLearned()
	f := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: []string{"a", "b"}, Limit: 50}
	key := l.key(f)
	same := f
	same.Limit = 60
	if l.key(same) != key {
		t.Error("a page a little longer is another filter")
	}
	for what, change := range map[string]func(*scope.Filter){
		"resource": func(f *scope.Filter) { f.Resource = "notes" },
		"subject":  func(f *scope.Filter) { f.Subject = "user-2" },
		"personal": func(f *scope.Filter) { f.Personal = false },
		"teams":    func(f *scope.Filter) { f.Teams = []string{"ab"} },
		"one team": func(f *scope.Filter) { f.Teams = []string{"a"} },
		"length":   func(f *scope.Filter) { f.Limit = 5000 },
	} {
		other := f
		change(&other)
		if l.key(other) == key {
			t.Errorf("another %s is the same filter", what)
		}
	}
	l.learn(key, looks, walks)
	l.learn(key^1<<60, looks, merges) // in the same slot
	if got := l.wayOf(key); got == merges {
		t.Error("a filter goes the way of another one in its slot")
	}
}
