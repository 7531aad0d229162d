package scope_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestARegistryKnowsItsNamesAndNoOthers(t *testing.T) {
	registry := registryOf(t, "tasks", "a", "b_2", strings.Repeat("x", 64))
	for _, name := range registry.Names() {
		if !registry.Contains(name) {
			t.Errorf("the registry lists %q and does not contain it", name)
		}
	}
	for _, name := range []string{"", "Tasks", "task", "taskss", "tasks ", "b_", "notes"} {
		if registry.Contains(name) {
			t.Errorf("the registry contains %q, which nobody registered", name)
		}
	}
}

func TestTheZeroRegistryKnowsNothing(t *testing.T) {
	var registry scope.Registry
	if registry.Contains("tasks") || registry.Contains("") || len(registry.Names()) != 0 {
		t.Errorf("the zero Registry has the names %q", registry.Names())
	}
}

func TestTheStandardRegistryHasTheFiveNames(t *testing.T) {
	want := []string{"api_keys", "credentials", "memory", "notes", "tasks"}
	if got := scope.Standard().Names(); !slices.Equal(got, want) {
		t.Errorf("the standard names are %q, want %q", got, want)
	}
}

func TestANameOutsideThePatternIsNotRegistered(t *testing.T) {
	for _, name := range []string{
		"", "Tasks", "tAsks", "1tasks", "_tasks", "ta-sks", "ta.sks", " tasks", "tasks\n", "täsks", "ta\x00sks",
		strings.Repeat("x", 65),
	} {
		if registry, err := scope.NewRegistry("notes", name); err == nil {
			t.Errorf("NewRegistry accepts %q", name)
		} else if len(registry.Names()) != 0 {
			t.Errorf("beside the refusal of %q stands the registry %q", name, registry.Names())
		}
	}
}

func TestANameIsRegisteredOnce(t *testing.T) {
	if _, err := scope.NewRegistry("tasks", "notes", "tasks"); err == nil {
		t.Error("NewRegistry accepts tasks twice")
	}
}

func TestARegistryIsImmutable(t *testing.T) {
	given := []string{"tasks", "notes"}
	registry := registryOf(t, given...)
	given[0] = "changed"
	registry.Names()[0] = "changed"
	want := []string{"notes", "tasks"}
	if got := registry.Names(); !slices.Equal(got, want) || registry.Contains("changed") {
		t.Errorf("after changes to slices given and returned the names are %q, want %q", got, want)
	}
}
