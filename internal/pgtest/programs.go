package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// versioned are the places where systems keep several versions side by side.
// scripts/install-postgres.sh looks in the same places.
var versioned = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // Postgres's own packages for Fedora and RHEL
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

// serverPrograms returns the directory of the newest server that is installed.
func serverPrograms() (string, error) {
	if dir, ok := newest(versioned); ok {
		return dir, nil
	}
	for _, dir := range unversioned() {
		if holdsServer(dir) {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

// unversioned are the places that hold one version, if any.
func unversioned() []string {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	return append(dirs, "/opt/homebrew/opt/postgresql/bin", "/usr/local/opt/postgresql/bin", "/usr/local/bin", "/usr/bin")
}

// newest returns the directory with the highest version in its name among those
// that match a pattern and hold a server.
func newest(patterns []string) (string, bool) {
	var dirs []string
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // fails on a malformed pattern only
		dirs = append(dirs, matches...)
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !holdsServer(dir) })
	if len(dirs) == 0 {
		return "", false
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return slices.Compare(version(a), version(b)) }), true
}

func holdsServer(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			return false
		}
	}
	return true
}

var versionPattern = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

// version returns the last version number in a path, such as 9, 6.
func version(path string) []int {
	found := versionPattern.FindAllString(path, -1)
	if len(found) == 0 {
		return nil
	}
	var numbers []int
	for part := range strings.SplitSeq(found[len(found)-1], ".") {
		n, _ := strconv.Atoi(part) // digits; absurdly many of them count as the largest number
		numbers = append(numbers, n)
	}
	return numbers
}
