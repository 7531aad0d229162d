//go:build unix

package pgtest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestTheNewestInstalledServerIsFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		installed []string
		want      string
	}{
		{"the only one", []string{"15"}, "15"},
		{"by number, not by letter", []string{"9.6", "15", "9", "10"}, "15"},
		{"by its minor number", []string{"9.4", "9.10", "9.6"}, "9.10"},
		{"none", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, version := range test.installed {
				plantServer(t, filepath.Join(root, version, "bin"))
			}
			want := ""
			if test.want != "" {
				want = filepath.Join(root, test.want, "bin")
			}
			if got, _ := newest([]string{filepath.Join(root, "*", "bin")}); got != want {
				t.Errorf("of the versions %q the one in %q is taken, not the one in %q", test.installed, got, want)
			}
		})
	}
}

func TestAClientWithoutAServerIsNoServer(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	plantServer(t, filepath.Join(root, "15", "bin"))
	plant(t, filepath.Join(root, "16", "bin"), "psql", "")
	plant(t, filepath.Join(root, "17", "bin"), "initdb", "")
	got, _ := newest([]string{filepath.Join(root, "*", "bin")})
	if want := filepath.Join(root, "15", "bin"); got != want {
		t.Errorf("the server programs are said to be in %q; they are in %q", got, want)
	}
}

func TestASocketFitsInTheDirectoryOfAServer(t *testing.T) {
	t.Parallel()
	const limit = 103 // macOS: 104 bytes with the final NUL
	for _, parent := range []string{
		"/tmp",
		"/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/",
		"/a/name/that/is/far/too/long/for/the/path/of/a/socket/in/a/directory/that/is/below",
	} {
		if socket := filepath.Join(directoryIn(parent), ".s.PGSQL.5432"); len(socket) > limit {
			t.Errorf("in %s the socket is %s, a path of %d bytes; %d are allowed", parent, socket, len(socket), limit)
		}
	}
}

func plantServer(t *testing.T, dir string) {
	t.Helper()
	plant(t, dir, "initdb", "")
	plant(t, dir, "postgres", "")
}

// plant writes a program.
func plant(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// A child that another test forks meanwhile would have the program open for writing
	// until its exec(2), and nobody can run such a program: ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o755); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

// openToOthers lets the user postgres, as whom root runs a server, into a
// directory of the test.
func openToOthers(t *testing.T, dir string) {
	t.Helper()
	for ; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
