package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// fedkit begins the path of each module of this repository.
const fedkit = "github.com/mosaicstack/fedkit"

// A module is one that was downloaded.
type module struct {
	Path    string
	Version string
	Dir     string
}

// modulesOf returns the directories of a tree that have a go.mod, the root first.
func modulesOf(root string) ([]string, error) {
	var dirs []string
	for _, depth := range []string{"", "*", "*/*"} {
		files, err := filepath.Glob(filepath.Join(root, depth, "go.mod"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			dir, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, filepath.ToSlash(dir))
		}
	}
	slices.Sort(dirs)
	return dirs, nil
}

// requirements downloads what the go.mod of a directory requires, in order of the paths:
// all that its packages and their tests need, of the versions that they are built with.
func requirements(dir string) ([]module, error) {
	var mod struct{ Require []module }
	text, err := run(dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return nil, err
	}
	download := []string{"mod", "download", "-json"}
	for _, m := range mod.Require {
		if m.Path != fedkit && !strings.HasPrefix(m.Path, fedkit+"/") {
			download = append(download, m.Path+"@"+m.Version)
		}
	}
	if text, err = run(dir, download...); err != nil {
		return nil, err
	}
	var modules []module
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var m module
		if err := dec.Decode(&m); err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

// run returns what a go command prints for the module of a directory alone.
func run(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s in %s: %w\n%s%s", strings.Join(args, " "), dir, err, text, &stderr)
	}
	return text, nil
}
