package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/licenseclassifier/v2/assets"
)

// accepted are licences that ask for no more than to be named. They are those of modules;
// what hosts do not compile in may be under others.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// go test does not see that a file outside of this module has changed, and repeats an
// earlier result unless told otherwise (-count=1); CI forgets all results first.
func TestTheListOfLicencesIsThatOfTheModules(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../docs/licences.md")
	if err != nil {
		t.Fatal(err)
	}
	got, err := document("../..")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("licences or versions have changed (-docs/licences.md +modules); run make licences:\n%s", diff)
	}
}

func TestEveryModuleIsUnderALicenceThatBindsNoHost(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/licences.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], ".") {
			continue
		}
		rows++
		for licence := range strings.SplitSeq(cells[3], ",") {
			if !slices.Contains(accepted, strings.TrimSpace(licence)) {
				t.Errorf("%s is under %s, which is none of %s", cells[1], licence, strings.Join(accepted, ", "))
			}
		}
	}
	if rows == 0 {
		t.Error("docs/licences.md has no module")
	}
}

func TestTheLicencesOfAModuleAreReadFromItsFiles(t *testing.T) {
	t.Parallel()
	known, err := assets.DefaultClassifier()
	if err != nil {
		t.Fatal(err)
	}
	mit, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		want  found
		fails bool
	}{
		{"one", map[string]string{"LICENSE": string(mit), "main.go": "package main"}, found{own: []string{"MIT"}}, false},
		{"another name", map[string]string{"copying.txt": string(mit)}, found{own: []string{"MIT"}}, false},
		{
			"those of its parts",
			map[string]string{"LICENSE.md": string(mit), "LICENSE-OTHER": string(mit), "LICENSE-ODD": "take it"},
			found{own: []string{"MIT"}, parts: []string{"MIT", "see LICENSE-ODD"}}, false,
		},
		{"none", map[string]string{"README.md": string(mit)}, found{}, true},
		{"an unknown one", map[string]string{"LICENSE": "You owe me a beer, and I may take your house."}, found{}, true},
		{"only one of a part", map[string]string{"LICENSE-OTHER": string(mit)}, found{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := read(known, module{Dir: dir})
			if (err != nil) != test.fails {
				t.Errorf("the error is %v, and is to be one: %t", err, test.fails)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(found{})); diff != "" {
				t.Errorf("the licences (-want +got):\n%s", diff)
			}
		})
	}
}
