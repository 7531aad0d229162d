package federation

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation/contract"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/jsonschema"
	"github.com/mosaicstack/fedkit/internal/openapi"
)

// described are the operations of this package in the contract.
var described = []string{"list", "get", "capabilities", "openapi", "grantScope", openapi.Other}

// Each answer of every test here is held against the contract, see host.serving. And
// the contract has none that no test gets.
func TestMain(m *testing.M) { os.Exit(contracttest.Main(m, described)) }

// A wireCode is what a program makes of an error.
type wireCode struct {
	status int
	code   string
}

func TestTheContractHasTheErrorsOfTheDecisionTable(t *testing.T) {
	for _, operation := range described {
		want := map[wireCode]bool{}
		for _, r := range decisionTable {
			if canEnd(operation, r) {
				want[wireCode{r.status, r.wire}] = true
			}
		}
		for _, media := range []string{contentTypeJSON, contentTypeProblem} {
			if got := describedErrors(t, operation, media); !maps.Equal(got, want) {
				t.Errorf("%s, %s: the contract has the errors\n%v, and the decision table\n%v", operation, media, got, want)
			}
		}
	}
}

// canEnd tells if a request of an operation can end by a ruling.
func canEnd(operation string, r ruling) bool {
	ofBody := r.code == codeBadBody || r.code == codeBadType || r.code == codeBodyTooLarge
	ofSources := string(r.stage) == "sources"
	ofItem := r.code == codeNothingLeft || r.code == codeItemNotFound
	switch operation {
	case openapi.Other:
		return r.code == codeBadPath || r.code == codeAuditFailed
	case "list":
		return r.code != codeBadPath && !ofItem
	case "get": // and bad_path, where there is no Getter
		return r.row != 9 && r.row != 11 && !ofSources
	case "capabilities":
		return r.row <= 5 && !ofBody && !ofSources && r.code != codeBadPath
	}
	return r.row <= 5 && !ofBody && !ofSources // and bad_path, without Config.Contract
}

func describedErrors(t *testing.T, operation, media string) map[wireCode]bool {
	t.Helper()
	description := openapi.Contract()
	cases, err := description.Cases(operation)
	if err != nil {
		t.Fatal(err)
	}
	found := map[wireCode]bool{}
	for _, c := range cases {
		if c.Status < 400 || c.Media != media {
			continue
		}
		codes, err := description.ErrorCodes(c)
		if err != nil || len(codes) == 0 {
			t.Errorf("%+v has the codes %v: %v", c, codes, err)
		}
		for _, code := range codes {
			found[wireCode{c.Status, code}] = true
		}
	}
	return found
}

func TestTheContractHasTheNamesOfTheHandler(t *testing.T) {
	document, err := jsonschema.Parse(contract.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.contract = true
	full := h.build(t, nil)
	var codes []string
	for _, r := range decisionTable {
		codes = append(codes, r.wire)
	}
	for pointer, want := range map[string]any{
		"ErrorCode/enum": codes,
		"Capabilities/properties/supported_verbs/items/enum": full.verbs(),
		"Capabilities/properties/features/items/enum":        append(full.features(), "sources"), // the one of a fan-out
	} {
		got, err := document.At("#/components/schemas/" + pointer)
		if err != nil {
			t.Error(err)
		}
		if sortedText(got) != sortedText(want) {
			t.Errorf("%s is %v in the contract and %v here", pointer, got, want)
		}
	}
	literals := constants(t)
	// That rows are missing is what a client says of a list, and not of a source.
	ofSources := slices.DeleteFunc(literals["ErrorCode"], func(code string) bool { return code == string(ErrPartial) })
	for pointer, want := range map[string]any{
		"code/anyOf/1/enum": ofSources,
		"state/enum":        literals["SourceState"],
	} {
		got, err := document.At("#/components/schemas/SourceStatus/properties/" + pointer)
		if err != nil {
			t.Error(err)
		}
		if sortedText(got) != sortedText(want) {
			t.Errorf("of a source, %s is %v in the contract and %v here", pointer, got, want)
		}
	}
	paths, err := document.At("#/paths")
	if err != nil {
		t.Fatal(err)
	}
	for path := range paths.(map[string]any) {
		if !strings.HasPrefix(path, Prefix) {
			t.Errorf("the path %s is not below %s", path, Prefix)
		}
	}
}

// constants are the values of the exported constants of this package, by their types.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string][]string)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || strings.HasSuffix(name, "_test.go") {
				return true
			}
			of, _ := spec.Type.(*ast.Ident)
			for i, value := range spec.Values {
				literal, ok := value.(*ast.BasicLit)
				if of == nil || !ok || literal.Kind != token.STRING || !spec.Names[i].IsExported() {
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values[of.Name] = append(values[of.Name], text)
			}
			return true
		})
	}
	return values
}

// sortedText renders a list without regard to its order and to what is twice there.
func sortedText(list any) string {
	words := strings.Fields(strings.Trim(fmt.Sprint(list), "[]"))
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func TestEachErrorOfTheContractHasBothForms(t *testing.T) {
	for _, accept := range errorForms {
		for name, spoil := range map[string]func(*host){
			"well":        func(*host) {},
			"no path":     func(h *host) { h.get, h.contract = nil, false },
			"stranger":    refusing(ErrNoCredential),
			"revoked":     refusing(ErrGrantRevoked),
			"too many":    func(h *host) { h.grants = limiterFunc(refuseAll) },
			"failed":      func(h *host) { h.grants = limiterFunc(nil) },
			"unavailable": refusing(os.ErrDeadlineExceeded),
			"unaudited": func(h *host) {
				h.auditor = auditorFunc(func(context.Context, Record) error { return os.ErrDeadlineExceeded })
			},
		} {
			h := newHost(t)
			h.contract = true
			spoil(h)
			for _, r := range contractRequests() {
				r.Header.Set("Accept", accept)
				got := h.serve(t, r)
				if name == "well" && (got.Code == http.StatusOK) != (r.Header.Get("Good") != "") {
					t.Errorf("%s %s is answered with %d %s", r.Method, r.URL.Path, got.Code, got.Body)
				}
			}
		}
	}
}

// contractRequests are good requests of each operation, which have a header to say so,
// and one for each way in which they can be malformed.
func contractRequests() []*http.Request {
	var all []*http.Request
	for _, path := range []string{"list/tasks", "get/tasks/7"} {
		long := newPost(Prefix+path, "{}"+strings.Repeat(" ", maxBody))
		media := newPost(Prefix+path, "{}")
		media.Header.Set("Content-Type", "text/plain")
		all = append(all, newPost(Prefix+path, "", "Good", "yes"), newPost(Prefix+path, "x"), long, media)
	}
	for _, path := range []string{"capabilities", "openapi.json", "grant-scope.v1.schema.json"} {
		r := newPost(Prefix+path, "", "Good", "yes")
		r.Method = http.MethodGet
		all = append(all, r)
	}
	for _, path := range []string{"list/tasks", "get/tasks/7", "capabilities", "openapi.json", "grant-scope.v1.schema.json", "nothing"} {
		r := newPost(Prefix+path, "")
		r.Method = http.MethodPut
		all = append(all, r)
	}
	return append(all, newPost(Prefix+"get/tasks/61", ""))
}
