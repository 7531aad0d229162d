package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

func TestAWrongCommandLineIsExplained(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"-nonsense"}, "-nonsense"},
		{"an argument", []string{"serve"}, `unexpected argument "serve"`},
		{"an argument behind flags", []string{"-addr", "127.0.0.1:0", "x"}, `unexpected argument "x"`},
		{"reset without a database", []string{"-reset"}, "-reset is for -db"},
		{"an empty database URL", []string{"-db", ""}, "-db needs"},
		{"an empty fixture", []string{"-fixture", ""}, "-fixture needs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := runToEnd(t, test.args...)
			if got.Code != 2 || !strings.Contains(got.Stderr, test.says) || !strings.Contains(got.Stderr, "Usage of gateway") {
				t.Errorf("gateway %q ends with %d, want 2, the usage and %q, and says:\n%s", test.args, got.Code, test.says, got.Stderr)
			}
			if got.Stdout != "" {
				t.Errorf("gateway %q prints %q, want nothing", test.args, got.Stdout)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Parallel()
	got := runToEnd(t, "-h")
	if got.Code != 0 || !strings.Contains(got.Stderr, "-fixture file") {
		t.Errorf("gateway -h ends with %d, want 0 and the flags, and says:\n%s", got.Code, got.Stderr)
	}
}

func TestABusyPortIsOneClearLine(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	complains(t, runToEnd(t, "-addr", other.Addr().String()), other.Addr().String(), "in use")
}

func TestAnAddressThatIsNoneIsOneClearLine(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"nonsense", "127.0.0.1:99999", "127.0.0.1:http:80"} {
		complains(t, runToEnd(t, "-addr", addr), addr)
	}
}

func TestACursorKeyThatIsNoneIsRefusedAndNotPrinted(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"secret", "abcdef", strings.Repeat("ab", 31), strings.Repeat("xy", 32)} {
		cmd := command()
		cmd.Env = append(cmd.Env, "FEDKIT_CURSOR_KEY="+key)
		got := programtest.Start(t, cmd).End(t)
		complains(t, got, "FEDKIT_CURSOR_KEY")
		if strings.Contains(got.Stderr, key) {
			t.Errorf("the key %q stands in the message %q", key, got.Stderr)
		}
	}
}

func TestABrokenFixtureIsOneClearLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	complains(t, runToEnd(t, "-fixture", dir+"/absent.json"), "absent.json")
	complains(t, runToEnd(t, "-fixture", dir), dir)
	for _, test := range []struct {
		name, text string
		says       []string
	}{
		{"text", `hello`, nil},
		{"no object", `[]`, nil},
		{"an unknown table", `{"taks": []}`, []string{"taks"}},
		{"a member of the wrong type", `{"users": [{"id": "user-1", "name": "U", "email": 1}]}`, []string{"users", "0", "email"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := dir + "/fixture.json"
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			complains(t, runToEnd(t, "-fixture", file), append(test.says, file)...)
		})
	}
}

// complains checks that a program ended with 1 and one line that names all of words.
func complains(t *testing.T, got programtest.Outcome, words ...string) {
	t.Helper()
	line, isLine := strings.CutSuffix(got.Stderr, "\n")
	if got.Code != 1 || got.Stdout != "" || !isLine || strings.Contains(line, "\n") || !strings.HasPrefix(line, "gateway: ") {
		t.Errorf("the gateway ends with %d, prints %q and says %q, want 1, nothing and one line", got.Code, got.Stdout, got.Stderr)
	}
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("the gateway says %q, want a word of %q", line, word)
		}
	}
}
