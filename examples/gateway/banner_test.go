package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/internal/demo"
)

// The commands of the banner are run by a shell, as if pasted: by the curl of the
// machine, if there is one, and by this test binary in its place.
func TestThePrintedCommandsWork(t *testing.T) {
	t.Parallel()
	p := start(t)
	stand := t.TempDir()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(stand, "curl")); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	paths := []string{stand + string(os.PathListSeparator) + path}
	if _, err := exec.LookPath("curl"); err == nil {
		paths = append(paths, path)
	}
	for _, path := range paths {
		answers := runCommands(t, p, path)
		if len(answers) != 5 {
			t.Fatalf("the banner has %d commands, want 5:\n%s", len(answers), p.banner)
		}
		checkAnswers(t, answers)
	}
}

// checkAnswers looks at the first page, the next page, the single row, the refusal and
// the capabilities.
func checkAnswers(t *testing.T, answers []map[string]any) {
	t.Helper()
	o := oracle{demo.BuiltIn()}
	i := slices.IndexFunc(o.Grants, func(g demo.Grant) bool { return g.Token == "demo-1" })
	want := o.shows(t, o.Grants[i], "tasks")[:2*examplePage]
	if got := slices.Concat(ids(answers[0]), ids(answers[1])); !slices.Equal(got, want) {
		t.Errorf("the first two pages of the banner have the tasks %q, want %q", got, want)
	}
	if row, ok := answers[2]["item"].(map[string]any); !ok || row["id"] != want[0] {
		t.Errorf("the single row is %v, want %s", answers[2], want[0])
	}
	if refusal, ok := answers[3]["error"].(map[string]any); !ok || refusal["code"] != "scope_violation" {
		t.Errorf("the refused resource is answered with %v, want a scope_violation", answers[3])
	}
	if _, ok := answers[4]["max_rows_per_query"]; !ok {
		t.Errorf("the capabilities are %v, want max_rows_per_query among them", answers[4])
	}
}

func ids(page map[string]any) (ids []string) {
	items, _ := page["items"].([]any)
	for _, item := range items {
		ids = append(ids, item.(map[string]any)["id"].(string))
	}
	return ids
}

// runCommands gives every command of the banner to a shell and returns the answers.
func runCommands(t *testing.T, p *program, path string) (answers []map[string]any) {
	t.Helper()
	for _, command := range commands(p.banner) {
		shell := exec.Command("sh", "-c", command)
		shell.Env = append(os.Environ(), "PATH="+path)
		var complaint bytes.Buffer
		shell.Stderr = &complaint
		output, err := shell.Output()
		if err != nil {
			t.Fatalf("the printed command %s fails: %v, %s", command, err, &complaint)
		}
		var answer map[string]any
		if err := json.Unmarshal(output, &answer); err != nil {
			t.Fatalf("the printed command %s answers %q, which is no JSON: %v", command, output, err)
		}
		answers = append(answers, answer)
	}
	return answers
}

// commands returns the paragraphs of the banner that are commands.
func commands(banner string) (found []string) {
	open := false
	for line := range strings.Lines(banner) {
		switch {
		case open:
			found[len(found)-1] += line
		case strings.HasPrefix(strings.TrimSpace(line), "curl "):
			found = append(found, line)
		default:
			continue
		}
		open = strings.HasSuffix(line, "\\\n")
	}
	return found
}

func TestTheBannerFitsATerminal(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(start(t).banner) {
		width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))
		if width >= 100 && !strings.Contains(line, "cursor") {
			t.Errorf("a line of the banner is %d columns wide, want less than 100: %s", width, line)
		}
	}
}

func TestTheBannerNamesEveryGrant(t *testing.T) {
	t.Parallel()
	banner := start(t).banner
	for _, g := range demo.BuiltIn().Grants {
		row := slices.IndexFunc(strings.Split(banner, "\n"), func(line string) bool {
			fields := strings.Fields(line)
			return len(fields) > 4 && slices.Equal(fields[:4], []string{g.Token, g.PeerID, g.SubjectUserID, g.Status})
		})
		if row < 0 {
			t.Errorf("the grant %s for %s of %s, %s, is not in the banner", g.Token, g.SubjectUserID, g.PeerID, g.Status)
		}
	}
}

func TestAQuietStartLogsNothing(t *testing.T) {
	t.Parallel()
	if log := startSmall(t).Stderr.String(); log != "" {
		t.Errorf("a gateway that nobody has asked anything logs %q", log)
	}
}

func TestAFixtureIsServedInsteadOfTheBuiltInData(t *testing.T) {
	t.Parallel()
	p := start(t, "-fixture", writeFixture(t, oneTask))
	got := list(t, p, "only", "tasks", 5)
	if len(got.items) != 1 || got.items[0]["title"] != "the only one" {
		t.Errorf("the fixture of one task is served as %v", got.items)
	}
	if n := len(commands(p.banner)); n != 4 {
		t.Errorf("with one task, of which no page has a next one, the banner has %d commands, want 4:\n%s", n, p.banner)
	}
	if status := list(t, p, "demo-1", "tasks", 1).status; status != 401 {
		t.Errorf("a token of the built-in data is answered with %d, want 401", status)
	}
}

func TestAnEmptyFixtureIsServed(t *testing.T) {
	t.Parallel()
	p := start(t, "-fixture", writeFixture(t, "{}"))
	if n := len(commands(p.banner)); n != 0 {
		t.Errorf("without a grant the banner has %d commands, want none:\n%s", n, p.banner)
	}
}
