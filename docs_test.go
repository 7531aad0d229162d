package fedkit_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the texts of the documentation by their paths.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, path := range append(paths, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages[path] = string(text)
	}
	return pages
}

// Code in the documentation is code that compiles and runs: each block of Go stands in the
// file whose link is the last one before it, but for what "// ..." leaves out.
func TestTheCodeInTheDocumentationIsTakenFromCodeThatRuns(t *testing.T) {
	for page, text := range pages(t) {
		before := ""
		for i, part := range strings.Split(text, "```") {
			code, isGo := strings.CutPrefix(part, "go\n")
			if i%2 == 0 || !isGo {
				before += part
				continue
			}
			file := filepath.Join(filepath.Dir(page), lastLink(before))
			source, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%s shows code and has no link to its file before it: %v", page, err)
				continue
			}
			if piece := missing(code, string(source)); piece != nil {
				t.Errorf("%s shows what is not in %s, or not in this place:\n%s", page, file, strings.Join(piece, "\n"))
			}
		}
	}
}

var linkToGo = regexp.MustCompile(`\]\(([^)]*\.go)\)`)

// lastLink returns the target of the last link to a file of Go in a text, or nothing.
func lastLink(text string) string {
	links := linkToGo.FindAllStringSubmatch(text, -1)
	if len(links) == 0 {
		return ""
	}
	return links[len(links)-1][1]
}

// missing returns the first piece of code that does not stand in source behind the pieces
// before it, or nil. Pieces are parted by "// ..."; how they are indented does not count.
func missing(code, source string) []string {
	rest := lines(source)
	for piece := range strings.SplitSeq(code, "// ...") {
		want := lines(strings.Trim(piece, "\n\t"))
		at := slices.IndexFunc(starts(rest, len(want)), func(run []string) bool { return slices.Equal(run, want) })
		if at < 0 {
			return want
		}
		rest = rest[at+len(want):]
	}
	return nil
}

func lines(text string) []string {
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// starts returns every run of n lines.
func starts(all []string, n int) [][]string {
	var runs [][]string
	for i := 0; i+n <= len(all); i++ {
		runs = append(runs, all[i:i+n])
	}
	return runs
}

// within is a link or a picture whose target is in the repository.
var within = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)

func TestEveryLinkInTheDocumentationLeadsSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, target := range within.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target[1])
			}
		}
	}
}

// published is the page of a package.
var published = regexp.MustCompile(`https://pkg\.go\.dev/github\.com/mosaicstack/fedkit/([a-z/]+)`)

func TestEveryPackageThatTheDocumentationNamesIsThere(t *testing.T) {
	for page, text := range pages(t) {
		for _, name := range published.FindAllStringSubmatch(text, -1) {
			sources, err := filepath.Glob(filepath.Join(name[1], "*.go"))
			if err != nil || len(sources) == 0 {
				t.Errorf("%s names the package %s, which is not there", page, name[1])
			}
		}
	}
}
