package fedkit_test

import (
	"os"
	"strings"
	"testing"
)

// The README's wiring is that of the Example, which compiles and runs, without its
// looking at errors.
func TestTheREADMEWiresAGatewayAsTheExampleDoes(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the README has no block of Go")
	}
	rest := string(example)
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if line == "// ..." {
			continue
		}
		_, behind, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("the Example does not say %q, or not in this place", line)
		}
		rest = behind
	}
}
