package fedkit_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The code of these pages is that of programs which are tested as processes over Postgres.
// Each block of Go stands in the file whose link is the last one before it; the README's is
// the whole of a function main.
func TestTheCodeOfThePagesIsThatOfTestedPrograms(t *testing.T) {
	if _, err := os.Stat("examples/hosts"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this is no clone of the repository: the examples are modules of their own")
	}
	for _, page := range []struct {
		name   string
		blocks int
	}{{"README.md", 1}, {"docs/hosts.md", 3}} {
		text, err := os.ReadFile(page.name)
		if err != nil {
			t.Fatal(err)
		}
		rest, blocks := string(text), 0
		for {
			before, behind, found := strings.Cut(rest, "```go\n")
			if !found {
				break
			}
			block, after, closed := strings.Cut(behind, "```")
			if !closed {
				t.Fatalf("a block of Go in %s has no end", page.name)
			}
			blocks++
			file := filepath.Join(filepath.Dir(page.name), lastLink(before))
			program, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%s shows code and has no link to its file before it: %v", page.name, err)
			}
			if !strings.Contains(string(program), "\n"+block) {
				t.Errorf("%s shows what is not in %s:\n%s", page.name, file, block)
			}
			rest = after
		}
		if blocks < page.blocks {
			t.Errorf("%s shows %d blocks of Go, want %d or more", page.name, blocks, page.blocks)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)]*\.go)\)`)

// lastLink returns the target of the last link to a file of Go in a text, or nothing.
func lastLink(text string) string {
	links := link.FindAllStringSubmatch(text, -1)
	if len(links) == 0 {
		return ""
	}
	return links[len(links)-1][1]
}
