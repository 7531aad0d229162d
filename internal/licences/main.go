// Licences prints docs/licences.md: the licence of each module that a module of this
// repository requires, as licenseclassifier reads it in what was downloaded. A test holds
// the document to go.mod files and licences.
//
//	go run ./internal/licences > docs/licences.md
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/licenseclassifier/v2/assets"
)

func main() {
	text, err := document(".")
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(text)
}

const intro = `# Licences

What each module of this repository requires, itself or through others, and under which
licence. fedkit itself is under the [MIT license](../LICENSE). The licences are those that
[licenseclassifier](https://github.com/google/licenseclassifier) finds in the modules, of
the versions in the go.mod files; ` + "`make licences`" + ` writes this page, and a test fails if it
is not what it would write.

A program gets only what the packages need that it imports: with cursor or scope that is
nothing at all. bench, examples and internal are programs and tests of this repository.
`

// document returns the page for the modules of the tree at root.
func document(root string) ([]byte, error) {
	known, err := assets.DefaultClassifier()
	if err != nil {
		return nil, err
	}
	modules, err := modulesOf(root)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.WriteString(intro)
	for _, dir := range modules {
		required, err := requirements(filepath.Join(root, dir))
		if err != nil {
			return nil, err
		}
		name := dir
		if dir == "." {
			name = "the root"
		}
		fmt.Fprintf(&text, "\n## %s\n\n| module | version | licence | of parts in it |\n|---|---|---|---|\n", name)
		for _, m := range required {
			found, err := read(known, m)
			if err != nil {
				return nil, fmt.Errorf("%s, which %s requires: %w", m.Path, name, err)
			}
			fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(found.own, ", "), strings.Join(found.parts, ", "))
		}
	}
	return text.Bytes(), nil
}
