package fedkit_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// The README's program is one that compiles, and that is tested as a process over Postgres.
func TestTheREADMEShowsTheProgramThatIsTested(t *testing.T) {
	program, err := os.ReadFile("examples/hosts/minimal/main.go")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this is no clone of the repository: the examples are modules of their own")
	}
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the README has no block of Go")
	}
	if !strings.HasPrefix(block, "func main() {\n") || !strings.Contains(string(program), "\n"+block) {
		t.Errorf("the README's first block of Go is not the function main of examples/hosts/minimal:\n%s", block)
	}
}
