package federation

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A line of the table in the documentation, and a code in its third column.
var (
	documentedRow  = regexp.MustCompile("(?m)^\\| (\\d+) \\|[^|]*\\|([^|]*)\\| (\\d+) `([a-z_]+)`")
	documentedCode = regexp.MustCompile("`([a-z_]+)`")
)

func TestTheDecisionTableInTheDocumentationIsTheOneThatDecides(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/federation.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range documentedRow.FindAllStringSubmatch(string(page), -1) {
		for _, code := range documentedCode.FindAllStringSubmatch(row[2], -1) {
			documented[fmt.Sprintf("row %s: %s is %s %s", row[1], code[1], row[3], row[4])] = true
		}
	}
	decides := map[string]bool{}
	for _, r := range decisionTable {
		if r.row > 0 {
			decides[fmt.Sprintf("row %d: %s is %d %s", r.row, r.code, r.status, r.wire)] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(decides)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("docs/federation.md has another table (-decides +documented):\n%s", diff)
	}
}
