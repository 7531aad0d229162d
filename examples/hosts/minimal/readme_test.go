package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheREADMEShowsThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the README has no block of Go")
	}
	if !strings.HasPrefix(block, "func main() {\n") || !strings.Contains(string(program), "\n"+block) {
		t.Errorf("the README's first block of Go is not the function main of this program:\n%s", block)
	}
}
