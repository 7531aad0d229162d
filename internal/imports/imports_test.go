package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/mosaicstack/fedkit"

// rules are those of every package that a host can import.
var rules = []Rule{
	{Package: module},
	{Package: module + "/cursor"},
	{Package: module + "/scope", Allowed: []string{module + "/internal/strictjson"}},
	{
		Package: module + "/listquery",
		Allowed: []string{
			module + "/scope", module + "/cursor", module + "/internal/strictjson",
			"github.com/Masterminds/squirrel", "github.com/lann/builder", "github.com/lann/ps",
			"github.com/lib/pq",
		},
	},
	{Package: module + "/fleetlock", Allowed: []string{"golang.org/x/sys"}, Forbidden: []string{"database/sql", "net/http"}},
	{
		Package: module + "/fleetlock/pglock",
		Allowed: []string{module + "/fleetlock", "golang.org/x/sys", "github.com/lib/pq"},
	},
	{
		Package:   module + "/fleetlock/fleetlockhttp",
		Allowed:   []string{module + "/fleetlock", module + "/internal/strictjson", "golang.org/x/sys"},
		Forbidden: []string{"database/sql"},
	},
	{
		Package:   module + "/fleetlock/fleetlocktest",
		Allowed:   []string{module + "/fleetlock", "golang.org/x/sys"},
		Forbidden: []string{"database/sql"},
	},
	{
		Package: module + "/federation",
		Allowed: []string{
			module + "/scope", module + "/cursor", module + "/internal/strictjson",
			module + "/federation/contract",
		},
		Forbidden: []string{"database/sql", "database/sql/driver"},
	},
	{
		Package: module + "/federation/auditsql",
		Allowed: []string{module + "/federation", module + "/scope", module + "/cursor", module + "/internal/strictjson"},
	},
	{Package: module + "/federation/contract"},
	{
		Package:   module + "/federation/federationtest", // any gateway's, so nothing of fedkit's own
		Allowed:   []string{module + "/federation/contract", module + "/internal/openapi", module + "/internal/jsonschema"},
		Forbidden: []string{"database/sql", "database/sql/driver"},
	},
	{
		Package: module + "/cmd/federationtest",
		Allowed: []string{
			module + "/federation/federationtest", module + "/federation/contract", module + "/internal/openapi", module + "/internal/jsonschema",
		},
		Forbidden: []string{"database/sql", "database/sql/driver"},
	},
	besideFederation("grants"),
	besideFederation("grants/grantstest"),
	besideFederation("mtls"),
	besideFederation("enroll"),
	besideFederation("enroll/enrolltest"),
	{
		Package: module + "/federation/sqlstore",
		Allowed: []string{
			module + "/scope", module + "/cursor", module + "/internal/strictjson",
			module + "/federation",
		},
	},
}

// besideFederation is the rule of a package below federation that knows no database.
func besideFederation(name string) Rule {
	return Rule{
		Package: module + "/federation/" + name,
		Allowed: []string{
			module + "/scope", module + "/cursor", module + "/internal/strictjson",
			module + "/federation",
		},
		Forbidden: []string{"database/sql", "database/sql/driver"},
	}
}

// direct are the modules that the root may require for itself.
var direct = []string{
	"github.com/Masterminds/squirrel",
	"github.com/google/go-cmp", // in tests only
	"github.com/lib/pq",
	"golang.org/x/sys",
}

func TestEveryPackageImportsOnlyWhatItMay(t *testing.T) {
	t.Parallel()
	build := list(t, "-deps", "./...")
	for _, rule := range rules {
		violations, err := Check(build, rule)
		if err != nil {
			t.Errorf("the rule for %s cannot be checked: %v", rule.Package, err)
		}
		for _, v := range violations {
			t.Error(v)
		}
	}
}

func TestEveryPackageThatAHostCanImportHasARule(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		internal := strings.Contains(p.ImportPath, "/internal/")
		ruled := slices.ContainsFunc(rules, func(r Rule) bool { return r.Package == p.ImportPath })
		if !internal && !ruled {
			t.Errorf("%s has no rule of what it may import", p.ImportPath)
		}
	}
}

func TestGoCmpIsForTestsAlone(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		imports := func(path string) bool { return slices.Contains(p.Imports, path) }
		if imports("github.com/google/go-cmp/cmp") && !imports("testing") {
			t.Errorf("%s imports go-cmp and is no test", p.ImportPath)
		}
	}
}

func TestTheRootRequiresFewModules(t *testing.T) {
	t.Parallel()
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []struct{ Old, New struct{ Path string } }
	}
	if err := json.Unmarshal(run(t, root(t), nil, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(direct, r.Path) {
			t.Errorf("the root's go.mod requires %s; it may require %s", r.Path, strings.Join(direct, ", "))
		}
	}
	for _, r := range mod.Replace {
		t.Errorf("the root's go.mod replaces %s by %s, which a host would not get", r.Old.Path, r.New.Path)
	}
}

func TestAProgramWithOnlyACursorNeedsNoOtherModule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), `module program

go 1.25.0

require `+module+` v0.0.0

replace `+module+` => `+root(t)+`
`)
	write(t, filepath.Join(dir, "main.go"), `package main

import "`+module+`/cursor"

func main() { println(cursor.ErrInvalid.Error()) }
`)
	// With -mod=mod the go command writes down each checksum that it needs, and with no
	// proxy it cannot get what the program should not need.
	run(t, dir, []string{"GOFLAGS=-mod=mod", "GOPROXY=off"}, "build", "-o", filepath.Join(dir, "program"), ".")
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff("", string(sums)); diff != "" {
		t.Errorf("the go.sum of a program that imports only cursor (-want +got):\n%s", diff)
	}
}

// list describes packages of the root module.
func list(t *testing.T, args ...string) []Package {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(run(t, root(t), nil, append([]string{"list", "-json=ImportPath,Standard,Imports"}, args...)...)))
	var packages []Package
	for {
		var p Package
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatalf("the output of go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// run returns what a go command prints. The root stands alone in it.
func run(t *testing.T, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, &stderr)
	}
	return out
}

// root returns the directory of the root module. It has looked into every directory
// there: go test repeats an earlier result unless something has changed that the test
// opened itself, and the packages are opened by the go command.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // another test's, and gone meanwhile
			return nil
		case err == nil && entry.Name() == ".git":
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
