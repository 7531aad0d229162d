package programtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m, program) }

// program is what the tests start.
func program() {
	switch os.Args[1] {
	case "fail":
		fmt.Println("this is", os.Args[2])
		fmt.Fprintln(os.Stderr, "it fails")
		os.Exit(3)
	case "wait":
		told := make(chan os.Signal, 1)
		signal.Notify(told, os.Interrupt)
		fmt.Println("waiting")
		<-told
		fmt.Println("told")
	case "hurry":
		fmt.Fprintln(os.Stderr, context.DeadlineExceeded)
	case "delegate":
		self, _ := os.Executable()
		cmd := exec.Command(self, "fail", "another one")
		cmd.Stdout = os.Stdout
		cmd.Run() // which says so if it cannot
	}
}

func TestAProgramEndsWithAStatusAndWhatItSaid(t *testing.T) {
	t.Parallel()
	want := Outcome{3, "this is one argument\n", "it fails\n"}
	if got := Start(t, Command("fail", "one argument")).End(t); got != want {
		t.Errorf("a program that fails ends with %+v, want %+v", got, want)
	}
}

func TestAProgramHearsSignals(t *testing.T) {
	t.Parallel()
	p := Start(t, Command("wait"))
	p.Says(t, "waiting")
	p.Signal(t, os.Interrupt)
	if got, want := p.End(t), (Outcome{0, "waiting\ntold\n", ""}); got != want {
		t.Errorf("a program that was told to end ends with %+v, want %+v", got, want)
	}
}

func TestAProgramThatHadNoTimeIsAskedAgain(t *testing.T) {
	t.Parallel()
	answers := []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable, http.StatusOK, http.StatusTeapot}
	asked := 0
	Start(t, Command("hurry")).HasTime(func() int { asked++; return answers[asked-1] })
	if asked != 3 {
		t.Errorf("a program with time for the third answer is asked %d times", asked)
	}
}

func TestAKilledProgramHasNoStatus(t *testing.T) {
	t.Parallel()
	p := Start(t, Command("wait"))
	p.Says(t, "waiting")
	p.Kill()
	if got := p.End(t).Code; got != -1 {
		t.Errorf("a program that was killed ends with %d, want -1", got)
	}
	p.Kill() // once more, which is nothing
}

func TestWhatIsSaidIsFoundByItsPattern(t *testing.T) {
	t.Parallel()
	p := Start(t, Command("fail", "number 7"))
	if got := p.Says(t, `number (\d)`); got[1] != "7" {
		t.Errorf("a pattern finds %q, want 7 as its group", got)
	}
}

func TestAProgramOfTheProgramIsTheProgram(t *testing.T) {
	t.Parallel()
	if got := Start(t, Command("delegate")).End(t); got.Stdout != "this is another one\n" {
		t.Errorf("a program that starts itself says %q", got.Stdout)
	}
}

func TestNoProgramOutlivesItsTest(t *testing.T) {
	t.Parallel()
	var p *Program
	t.Run("the test", func(t *testing.T) { p = Start(t, Command("wait")) })
	if !p.Ended() {
		t.Error("a program runs when its test has ended")
	}
}

func TestWhatDoesNotComeFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		of   func(t testing.TB)
		says string
	}{
		"words of a program that ends without them": {
			func(t testing.TB) { Start(t, Command("fail", "it")).Says(t, "all is well") }, "did not say all is well",
		},
		"a condition": {
			func(t testing.TB) { eventually(t, time.Millisecond, "pigs fly", func() bool { return false }) }, "not: pigs fly",
		},
		"a program that is none": {
			func(t testing.TB) { Start(t, exec.Command(t.TempDir())) }, "does not start",
		},
		"a signal to a program that has ended": {
			func(t testing.TB) {
				p := Start(t, Command("fail", "it"))
				p.End(t)
				p.Signal(t, os.Interrupt)
			}, "cannot be sent",
		},
	} {
		if said := failure(t, test.of); !strings.Contains(said, test.says) {
			t.Errorf("%s: the test fails with %q, want %q", name, said, test.says)
		}
	}
}

// failure returns with what a test fails.
func failure(t *testing.T, test func(testing.TB)) string {
	f := &failing{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		test(f)
	}()
	<-ended
	return f.said
}

// failing is a test that must fail.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
