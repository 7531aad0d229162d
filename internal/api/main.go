// Api prints the exported names of every package that a host can import, one a line, as
// the file docs/api.txt has them. A change of what hosts see is then a change of that
// file, which a test holds to the code and a reviewer sees:
//
//	go run ./internal/api > docs/api.txt
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// module is the path of the root module. Those of the nested ones follow from it.
const module = "github.com/mosaicstack/fedkit"

// skipped are directories that hold nothing to import.
var skipped = []string{".git", "bench", "examples", "internal", "testdata"}

func main() {
	text, err := describe(os.DirFS("."))
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(text)
}

// describe returns the text for the packages of a tree.
func describe(tree fs.FS) ([]byte, error) {
	var text bytes.Buffer
	err := fs.WalkDir(tree, ".", func(dir string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return err
		case slices.Contains(skipped, entry.Name()):
			return fs.SkipDir
		}
		files, err := sources(tree, dir)
		if err != nil || len(files) == 0 {
			return err
		}
		lines, err := names(files)
		if err != nil || len(lines) == 0 {
			return err
		}
		fmt.Fprintf(&text, "\npackage %s\n\n%s\n", path.Join(module, dir), strings.Join(lines, "\n"))
		return nil
	})
	return bytes.TrimPrefix(text.Bytes(), []byte("\n")), err
}

// sources returns the files of a package by their names, whatever system they are for:
// what is exported on one belongs to the package.
func sources(tree fs.FS, dir string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		name = path.Join(dir, name)
		if files[name], err = fs.ReadFile(tree, name); err != nil {
			return nil, err
		}
	}
	return files, nil
}
