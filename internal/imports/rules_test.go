package imports

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planted is a build in which the packages of a library break and keep rules.
func planted(change ...Package) []Package {
	build := []Package{
		{ImportPath: "fmt", Standard: true, Imports: []string{"os"}},
		{ImportPath: "os", Standard: true},
		{ImportPath: "database/sql", Standard: true},
		{ImportPath: "net/http", Standard: true, Imports: []string{"vendor/x/http2"}},
		{ImportPath: "vendor/x/http2", Standard: true},
		{ImportPath: "lib/cursor", Imports: []string{"fmt"}},
		{ImportPath: "lib/scope", Imports: []string{"fmt", "lib/cursor"}},
		{ImportPath: "lib/federation", Imports: []string{"net/http", "lib/scope"}},
		{ImportPath: "sql/builder", Imports: []string{"sql/builder/part", "C"}},
		{ImportPath: "sql/builder/part"},
		{ImportPath: "sql/builders"},
		{ImportPath: "lib/store", Imports: []string{"database/sql", "sql/builder"}},
	}
	for _, p := range change {
		for i := range build {
			if build[i].ImportPath == p.ImportPath {
				build[i] = p
			}
		}
	}
	return build
}

func TestAPlantedViolationIsFoundOnItsShortestWay(t *testing.T) {
	t.Parallel()
	federation := Rule{Package: "lib/federation", Allowed: []string{"lib/scope", "lib/cursor"}, Forbidden: []string{"database/sql"}}
	for _, test := range []struct {
		name  string
		build []Package
		rule  Rule
		want  []Violation
	}{
		{"none", planted(), federation, nil},
		{"none below what is allowed", planted(), Rule{Package: "lib/store", Allowed: []string{"sql/builder"}}, nil},
		{
			"a package of the standard library, in another package",
			planted(Package{ImportPath: "lib/cursor", Imports: []string{"database/sql"}}), federation,
			[]Violation{{[]string{"lib/federation", "lib/scope", "lib/cursor", "database/sql"}}},
		},
		{
			"a package of the standard library, behind the standard library",
			planted(Package{ImportPath: "net/http", Standard: true, Imports: []string{"database/sql"}}), federation,
			[]Violation{{[]string{"lib/federation", "net/http", "database/sql"}}},
		},
		{
			"a package of the library, and not once more what lies behind it",
			planted(Package{ImportPath: "lib/federation", Imports: []string{"lib/store", "lib/scope"}}), federation,
			[]Violation{{[]string{"lib/federation", "lib/store"}}},
		},
		{
			"the short way where there is a long one",
			planted(Package{ImportPath: "lib/federation", Imports: []string{"lib/scope", "sql/builder"}},
				Package{ImportPath: "lib/cursor", Imports: []string{"sql/builder"}}), federation,
			[]Violation{{[]string{"lib/federation", "sql/builder"}}},
		},
		{
			"a name that only begins like one that is allowed",
			planted(Package{ImportPath: "lib/store", Imports: []string{"sql/builders"}}),
			Rule{Package: "lib/store", Allowed: []string{"sql/builder"}},
			[]Violation{{[]string{"lib/store", "sql/builders"}}},
		},
		{
			"two",
			planted(Package{ImportPath: "lib/cursor", Imports: []string{"sql/builder", "database/sql"}}),
			Rule{Package: "lib/cursor", Forbidden: []string{"database/sql"}},
			[]Violation{{[]string{"lib/cursor", "database/sql"}}, {[]string{"lib/cursor", "sql/builder"}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Check(test.build, test.rule)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABuildThatLacksAPackageProvesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		build []Package
	}{
		{"the rule's own", nil},
		{"a dependency", []Package{{ImportPath: "lib/cursor", Imports: []string{"lib/gone"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Check(test.build, Rule{Package: "lib/cursor"}); err == nil {
				t.Errorf("the check is content, with the violations %v", got)
			}
		})
	}
}
