package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The story as it has to go: these lines in this order, and rows between them.
var plot = []string{
	`1\. Three gateways start, .*`,
	`home +pid \d+ serves 10 tasks at https://127\.0\.0\.1:\d+`,
	`east +pid \d+ serves 10 tasks at https://127\.0\.0\.1:\d+`,
	`west +pid \d+ serves 10 tasks at https://127\.0\.0\.1:\d+`,
	`2\. A reader asks home .*`,
	`page 1: local ok, peer:east ok, peer:west ok`,
	`page 2: local ok, peer:east ok, peer:west ok`,
	`page 3: local ok, peer:east ok, peer:west ok`,
	`page 4: local exhausted, peer:east exhausted, peer:west exhausted`,
	`30 tasks: 10 of local, 10 of peer:east, 10 of peer:west`,
	`3\. It reads them once more; .*`,
	`page 1: local ok, peer:east ok, peer:west ok`,
	`west +is killed: pid \d+`,
	`page 2: PARTIAL, local ok, peer:east ok, peer:west failed \(unreachable\)`,
	`west +is back: pid \d+`,
	`page 3: PARTIAL, local ok, peer:east ok, peer:west ok`,
	`page 4: PARTIAL, local exhausted, peer:east exhausted, peer:west exhausted`,
	`27 tasks of 30: 10 of local, 10 of peer:east, 7 of peer:west`,
	`What is missing is of west, .*`,
	`4\. It begins again, .*`,
	`30 tasks: 10 of local, 10 of peer:east, 10 of peer:west`,
}

// shownRow is a line of the story that is a row of the list.
var shownRow = regexp.MustCompile(`\A(local|peer:east|peer:west) +Jun 1\d \d\d:\d\d:\d\d\.123456  \S.*\z`)

func TestTheStoryGoesAsItIsTold(t *testing.T) {
	t.Parallel()
	p := launch(t)
	got := p.End(t)
	if got.Code != 0 {
		t.Fatalf("the story ends with %d, want 0", got.Code)
	}
	rows := 0
	rest := plot
	for line := range strings.Lines(got.Stdout) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "SOURCE "):
		case shownRow.MatchString(line):
			rows++
		case len(rest) == 0:
			t.Errorf("the story goes on with %q", line)
		case regexp.MustCompile(`\A` + rest[0] + `\z`).MatchString(line):
			rest = rest[1:]
		default:
			t.Fatalf("the story says %q, want %q", line, rest[0])
		}
	}
	if len(rest) > 0 {
		t.Errorf("the story ends before %q", rest[0])
	}
	if rows != 30+27 {
		t.Errorf("the story shows %d rows, want 30 and then 27", rows)
	}
	if got.Stderr != "" {
		t.Errorf("the program complains: %s", got.Stderr)
	}
	nobodyAt(t, gatewaysOf(t, p))
}

func TestAnUntrueStoryIsAnError(t *testing.T) {
	t.Parallel()
	list := func(partial bool, local, east, west int) listing {
		return listing{rows: map[string]int{"local": local, "peer:east": east, "peer:west": west}, partial: partial}
	}
	whole, hurt := list(false, 10, 10, 10), list(true, 10, 10, 7)
	for _, test := range []struct {
		name               string
		whole, hurt, again listing
		want               error
	}{
		{"all is well", whole, hurt, whole, nil},
		{"nothing was missing", whole, whole, whole, nil},
		{"a list of the living lacks a row", list(false, 10, 9, 10), hurt, whole, errNotWhole},
		{"a list of the living calls itself partial", list(true, 10, 10, 10), hurt, whole, errNotWhole},
		{"a row of the killed stays away", whole, hurt, list(false, 10, 10, 9), errNotHealed},
		{"the last list calls itself partial", whole, hurt, list(true, 10, 10, 10), errNotHealed},
		{"missing rows are not told", whole, list(false, 10, 10, 7), whole, errSilent},
		{"a row of a living peer is missing", whole, list(true, 10, 9, 7), whole, errHealthy},
		{"a row of home is missing", whole, list(true, 9, 10, 7), whole, errHealthy},
		{"a row is there twice", whole, list(true, 11, 10, 7), whole, errHealthy},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := judge(test.whole, test.hurt, test.again); !errors.Is(err, test.want) {
				t.Errorf("the judgement is %v, want %v", err, test.want)
			}
		})
	}
}

func TestAnInterruptEndsTheGateways(t *testing.T) {
	t.Parallel()
	p := launch(t, "-serve", "-addr", "127.0.0.1:0")
	p.Says(t, "Ctrl-C ends all")
	at := gatewaysOf(t, p)
	p.Signal(t, os.Interrupt)
	if code := p.End(t).Code; code != 0 {
		t.Errorf("the program ends with %d, want 0", code)
	}
	nobodyAt(t, at)
}

func TestGatewaysEndWithTheProgramThatIsKilled(t *testing.T) {
	t.Parallel()
	p := launch(t, "-serve", "-addr", "127.0.0.1:0")
	p.Says(t, "Ctrl-C ends all")
	at := gatewaysOf(t, p)
	p.Kill()
	nobodyAt(t, at)
}
