//go:build unix

package contest

import (
	"strings"
	"testing"
	"time"
)

func TestWhatMustNotBeIsReported(t *testing.T) {
	t.Parallel()
	a, b := new(contender), new(contender)
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	for _, test := range []struct {
		name   string
		events []event
		hurts  []hurt
		wrong  string
	}{
		{"one after the other", []event{{a, granted, 1, at(0)}, {a, claimed, 1, at(9)}, {a, leaving, 1, at(10)}, {b, granted, 2, at(11)}}, nil, ""},
		{"a token that falls", []event{{a, granted, 2, at(0)}, {a, leaving, 2, at(10)}, {b, granted, 1, at(11)}}, nil, "was granted after"},
		{"a token that was granted twice", []event{{a, granted, 1, at(0)}, {a, leaving, 1, at(10)}, {b, granted, 1, at(11)}}, nil, "was granted after"},
		{"a claim after the next grant", []event{{a, granted, 1, at(0)}, {b, granted, 2, at(5)}, {a, claimed, 1, at(6)}}, nil, "claims the lock"},
		{"a claim by one who was stopped", []event{{a, granted, 1, at(0)}, {b, granted, 2, at(5)}, {a, claimed, 1, at(6)}}, []hurt{{a, at(1)}}, "claims the lock"},
		{"a loss told late", []event{{a, granted, 1, at(0)}, {b, granted, 2, at(5)}, {a, toldLoss, 1, at(10_006)}}, nil, "was told or left"},
		{"a loss told to one who stood still for a moment", []event{{a, granted, 1, at(0)}, {b, granted, 2, at(5)}, {a, toldLoss, 1, at(999)}}, nil, ""},
		{"a loss told late to one who was stopped", []event{{a, granted, 1, at(0)}, {b, granted, 2, at(5)}, {a, toldLoss, 1, at(10_006)}}, []hurt{{a, at(1)}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			wrongs := strings.Join(judge(test.events, test.hurts).Wrongs, "\n")
			if (wrongs == "") != (test.wrong == "") || !strings.Contains(wrongs, test.wrong) {
				t.Errorf("what is wrong is %q, not %q", wrongs, test.wrong)
			}
		})
	}
}
