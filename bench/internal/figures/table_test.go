package figures

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestATableIsAlignedMarkdown(t *testing.T) {
	table := &Table{Head: []string{"", "µs", "verdict"}}
	table.Add("flock", "7", "met")
	table.Add("ours", "12")
	want := `|       | µs | verdict |
|-------|---:|--------:|
| flock |  7 |     met |
| ours  | 12 |
`
	if got := table.String(); got != want {
		t.Errorf("the table is\n%s\nand not\n%s", got, want)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for _, row := range []struct {
		ns   float64
		want string
	}{
		{7, "7 ns"}, {1234, "1.23 µs"}, {56_789, "56.8 µs"}, {123_456_789, "123 ms"}, {2.5e9, "2.50 s"}, {math.NaN(), "–"},
	} {
		if got := Duration(row.ns); got != row.want {
			t.Errorf("%v ns are written as %q and not %q", row.ns, got, row.want)
		}
	}
}

func TestATargetIsMetUpToItsLimit(t *testing.T) {
	for _, row := range []struct {
		target Target
		met    bool
		wanted string
	}{
		{Target{Value: 3, Limit: 3, Unit: " × floor"}, true, "≤ 3 × floor"},
		{Target{Value: 3.1, Limit: 3}, false, "≤ 3"},
		{Target{Value: 0.985, Limit: 0.99, AtLeast: true}, false, "≥ 0.99"},
		{Target{Value: 5, Limit: 5, AtLeast: true}, true, "≥ 5"},
		{Target{Value: math.NaN(), Limit: 1}, false, "≤ 1"},
		{Target{Value: math.NaN(), Limit: 1, AtLeast: true}, false, "≥ 1"},
	} {
		if got := row.target.Met(); got != row.met {
			t.Errorf("that %s is met by %v is %v", row.target.Wanted(), row.target.Value, got)
		}
		if got := row.target.Wanted(); got != row.wanted {
			t.Errorf("the target is %q and not %q", got, row.wanted)
		}
	}
}

func TestAFileWithoutANameIsNotWritten(t *testing.T) {
	if err := Save("", "text"); err != nil {
		t.Errorf("no file is an error: %v", err)
	}
	name := filepath.Join(t.TempDir(), "figures.md")
	if err := Save(name, "text"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); string(got) != "text" || err != nil {
		t.Errorf("the file has %q, %v", got, err)
	}
}
