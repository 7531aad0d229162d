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
	for _, path := range append(paths, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages[path] = string(text)
	}
	return pages
}

// Code in the documentation is code that compiles: each block of Go stands in the
// file whose link is the last one before it, but for what "// ..." leaves out.
func TestTheCodeInTheDocumentationIsTakenFromCodeThatCompiles(t *testing.T) {
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
var within = regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]*))?\)`)

func TestEveryLinkInTheDocumentationLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		for _, link := range within.FindAllStringSubmatch(text, -1) {
			target, place := page, link[2]
			if link[1] != "" {
				target = filepath.Join(filepath.Dir(page), link[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			}
			if place != "" && !slices.Contains(anchors(all[target]), place) {
				t.Errorf("%s links to #%s in %s, which is not there", page, place, target)
			}
		}
	}
}

var (
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors are the places of a page that links may name, as GitHub makes them of headings.
func anchors(text string) []string {
	var all []string
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return all
}

// Every page of the documentation is on a way that begins at the README.
func TestEveryPageOfTheDocumentationIsReachable(t *testing.T) {
	all := pages(t)
	reached := map[string]bool{"README.md": true}
	for todo := []string{"README.md"}; len(todo) > 0; todo = todo[1:] {
		for _, link := range within.FindAllStringSubmatch(all[todo[0]], -1) {
			target := filepath.Join(filepath.Dir(todo[0]), link[1])
			if all[target] != "" && !reached[target] {
				reached[target] = true
				todo = append(todo, target)
			}
		}
	}
	for page := range all {
		if !reached[page] {
			t.Errorf("no link leads to %s", page)
		}
	}
}

func TestContributingSaysWhatEachInternalPackageIsFor(t *testing.T) {
	text := pages(t)["CONTRIBUTING.md"]
	directories, err := filepath.Glob("internal/*")
	if err != nil || len(directories) == 0 {
		t.Fatal(directories, err)
	}
	for _, directory := range directories {
		if !strings.Contains(text, "`"+filepath.ToSlash(directory)+"`") {
			t.Errorf("CONTRIBUTING.md does not name %s", directory)
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
