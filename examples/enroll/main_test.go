package main

import (
	"regexp"
	"strings"
	"testing"
)

// The story as it has to go, line by line.
var story = []string{
	`1\. Two gateways start, .*`,
	`alpha +serves at https://127\.0\.0\.1:\d+`,
	`beta +serves at https://127\.0\.0\.1:\d+`,
	`2\. Each invites the other, .*`,
	`alpha +audit: invited`,
	`beta +audit: invited`,
	`3\. Each trades its token .*`,
	`alpha +audit: redeemed`,
	`alpha +audit: issued`,
	`alpha +audit: bound`,
	`beta +has a certificate of the alpha authority`,
	`beta +audit: redeemed`,
	`beta +audit: issued`,
	`beta +audit: bound`,
	`alpha +has a certificate of the beta authority`,
	`alpha +audit: refused token_gone`,
	`mallory +is refused by alpha: 410, the token has been used or has expired`,
	`4\. Each lists the other's tasks .*`,
	`beta +reads from alpha: "task .*", "task .*", "task .*", and there are more`,
	`alpha +reads from beta: "task .*", and there are more`,
	`nobody +is refused by alpha: 401, no verified credential`,
	`5\. Alpha revokes beta's grant, .*`,
	`alpha +revokes the grant of beta`,
	`beta +is refused by alpha: 403, access denied`,
	`alpha +reads from beta: "task .*", and there are more`,
}

func TestTheStoryGoesAsItIsTold(t *testing.T) {
	t.Run("once", tell)
	t.Run("again", tell) // nothing was left behind
}

func tell(t *testing.T) {
	var told strings.Builder
	if err := run(t.Context(), &told); err != nil {
		t.Fatalf("the story ends in %v:\n%s", err, &told)
	}
	var lines []string
	for line := range strings.Lines(told.String()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for i, want := range story {
		if i == len(lines) {
			t.Fatalf("the story ends before %q:\n%s", want, &told)
		}
		if !regexp.MustCompile(`\A` + want + `\z`).MatchString(lines[i]) {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], want)
		}
	}
	if len(lines) > len(story) {
		t.Errorf("the story goes on:\n%s", strings.Join(lines[len(story):], "\n"))
	}
	if strings.Contains(told.String(), "fe1_") {
		t.Error("a token is in the story")
	}
}
