package contracttest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// unwatched are functions of tests that make a handler and do not watch it, and why.
var unwatched = map[string]string{
	"checks_bench_test.go:checkedPage":                       "a benchmark",
	"federation/host_test.go:build":                          "host.serving watches what it returns",
	"federation/plugged_test.go:TestAHandlerNeedsItsParts":   "serves nothing",
	"federation/enroll/renew_test.go:TestADeskNeedsItsParts": "serves nothing",

	"federation/fanout_serve_test.go:TestTheTimeOfASourceIsLessThanThatOfThePage": "serves nothing",
	"internal/chaos/main_test.go:newHandler":                                      "newNetwork watches it; the peers are other processes",
}

// Every handler that a test makes is watched, and Watch cannot be forgotten. Examples are
// left out: they have nothing to fail.
func TestNoHandlerOfATestEscapesTheContract(t *testing.T) {
	t.Parallel()
	const root = "../.."
	makers := 0
	left := map[string]bool{}
	for name := range unwatched {
		left[name] = true
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // went away meanwhile
			return nil
		case err == nil && entry.Name() == ".git":
			return fs.SkipDir
		case err != nil || entry.IsDir():
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		ofTests := strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/lawtest/")
		if !ofTests || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "example_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !calls(f, "federation.NewHandler") && !calls(f, "enroll.New") && !(file.Name.Name == "federation" && calls(f, "NewHandler")) {
				continue
			}
			makers++
			key := name + ":" + f.Name.Name
			if _, excepted := unwatched[key]; !excepted && !calls(f, "contracttest.Watch") && !calls(f, "contracttest.WatchRows") {
				t.Errorf("%s makes a handler whose answers nobody holds against the contract", key)
			}
			delete(left, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range left {
		t.Errorf("%s is excepted, and makes no handler", key)
	}
	if makers <= len(unwatched) {
		t.Errorf("%d functions make a handler: the test does not see them", makers)
	}
}

// calls tells if a function calls what has that name.
func calls(f *ast.FuncDecl, name string) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch called := call.Fun.(type) {
		case *ast.Ident:
			found = found || called.Name == name
		case *ast.SelectorExpr:
			if of, ok := called.X.(*ast.Ident); ok {
				found = found || of.Name+"."+called.Sel.Name == name
			}
		}
		return true
	})
	return found
}

// failures counts what Watch finds.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

const (
	listPath = "/api/federation/v1/list/tasks"
	denied   = `{"error":{"code":"forbidden","message":"m"}}`
	task     = `{"id":"00000000-0000-4000-8000-00000000000a","title":"","description":null,"status":"","priority":"","projectId":null,` +
		`"missionId":null,"assignee":null,"tags":[1],"dueDate":null,"metadata":null,"createdAt":"2026-01-02T03:04:05.000001Z","updatedAt":"2026-01-02T03:04:05Z","_source":"local"}`
)

func TestWatchFindsWhatIsNotInTheContract(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, path string
		status       int
		body         string
		header       []string // to change
		good         bool
	}{
		"a page":                       {"POST", listPath, 200, `{"items":[` + task + `]}`, nil, true},
		"a page that goes on":          {"POST", listPath, 200, `{"items":[` + task + `],"nextCursor":"x","_truncated":true}`, nil, true},
		"an error":                     {"POST", listPath, 403, denied, nil, true},
		"another path":                 {"POST", "/x", 404, `{"error":{"code":"not_found","message":"m"}}`, nil, true},
		"an id with a slash":           {"POST", "/api/federation/v1/get/tasks/a/b", 200, `{"item":` + task + `}`, nil, true},
		"a problem":                    {"POST", listPath, 401, `{"type":"about:blank","title":"t","status":401,"code":"unauthorized","detail":"d"}`, []string{"Content-Type", "application/problem+json"}, true},
		"a wrong status":               {"POST", listPath, 404, `{"error":{"code":"not_found","message":"m"}}`, nil, false},
		"a status nobody knows":        {"POST", listPath, 418, denied, nil, false},
		"the code of another status":   {"POST", listPath, 403, `{"error":{"code":"unauthorized","message":"m"}}`, nil, false},
		"a method that is not there":   {"GET", listPath, 403, denied, []string{"Allow", "POST"}, false},
		"405 for the right method":     {"POST", listPath, 405, `{"error":{"code":"invalid_request","message":"m"}}`, []string{"Allow", "POST"}, false},
		"405 with another method":      {"GET", listPath, 405, `{"error":{"code":"invalid_request","message":"m"}}`, []string{"Allow", "GET"}, false},
		"200 for a path that is none":  {"POST", "/x", 200, `{"items":[]}`, nil, false},
		"a resource with a slash":      {"POST", listPath + "/x", 200, `{"items":[]}`, nil, false},
		"a member more":                {"POST", listPath, 200, `{"items":[],"total":0}`, nil, false},
		"a member more in an error":    {"POST", listPath, 403, `{"error":{"code":"forbidden","message":"m","stage":"x"}}`, nil, false},
		"a member more in a row":       {"POST", listPath, 200, `{"items":[` + strings.Replace(task, "{", `{"ownerId":"u",`, 1) + `]}`, nil, false},
		"a row without a source":       {"POST", listPath, 200, `{"items":[{}]}`, nil, false},
		"an empty page that goes on":   {"POST", listPath, 200, `{"items":[],"nextCursor":"x","_truncated":true}`, nil, false},
		"a cursor without _truncated":  {"POST", listPath, 200, `{"items":[` + task + `],"nextCursor":"x"}`, nil, false},
		"a body that is none":          {"POST", listPath, 200, ``, nil, false},
		"a member twice":               {"POST", listPath, 200, `{"items":[],"items":[]}`, nil, false},
		"a member twice in a row":      {"POST", listPath, 200, `{"items":[` + strings.Replace(task, "{", `{"title":"t",`, 1) + `]}`, nil, false},
		"text that is not UTF-8":       {"POST", listPath, 403, "{\"error\":{\"code\":\"forbidden\",\"message\":\"\xff\"}}", nil, false},
		"text behind the body":         {"POST", listPath, 200, `{"items":[]}{}`, nil, false},
		"a header too many":            {"POST", listPath, 403, denied, []string{"X-Debug", "1"}, false},
		"no no-store":                  {"POST", listPath, 403, denied, []string{"Cache-Control", "max-age=1"}, false},
		"no request id":                {"POST", listPath, 403, denied, []string{"X-Request-Id", ""}, false},
		"a charset":                    {"POST", listPath, 403, denied, []string{"Content-Type", "application/json; charset=utf-8"}, false},
		"a length that is wrong":       {"POST", listPath, 403, denied, []string{"Content-Length", "1"}, false},
		"429 without Retry-After":      {"POST", listPath, 429, `{"error":{"code":"rate_limited","message":"m"}}`, nil, false},
		"a Retry-After that is a date": {"POST", listPath, 429, `{"error":{"code":"rate_limited","message":"m"}}`, []string{"Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"}, false},
	} {
		said := new(failures)
		handler := WatchRows(said, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("X-Request-Id", "id")
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(len(test.body)))
			for i := 0; i < len(test.header); i += 2 {
				w.Header().Set(test.header[i], test.header[i+1])
				if test.header[i+1] == "" {
					w.Header().Del(test.header[i])
				}
			}
			w.WriteHeader(test.status)
			w.Write([]byte(test.body))
		}))
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(test.method, test.path, nil))
		if good := len(said.said) == 0; good != test.good {
			t.Errorf("%s: the contract has it: %t: %s", name, good, said.said)
		}
	}
}
