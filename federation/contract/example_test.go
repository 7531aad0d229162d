package contract_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/mosaicstack/fedkit/federation/contract"
)

// A host that shows the contract to everybody serves both documents side by side.
func Example() {
	mux := http.NewServeMux()
	for name, text := range map[string]string{
		contract.OpenAPIName:    contract.OpenAPI(),
		contract.GrantScopeName: contract.GrantScope(),
	} {
		mux.HandleFunc("GET /docs/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text) // a client that left needs no answer
		})
	}
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/docs/"+contract.OpenAPIName, nil))

	var document struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		log.Fatal(err)
	}
	var paths []string
	for path := range document.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	fmt.Println("OpenAPI", document.OpenAPI)
	for _, path := range paths {
		fmt.Println(path)
	}
	// Output:
	// OpenAPI 3.1.1
	// /api/federation/v1/capabilities
	// /api/federation/v1/enroll
	// /api/federation/v1/get/{resource}/{id}
	// /api/federation/v1/grant-scope.v1.schema.json
	// /api/federation/v1/list/{resource}
	// /api/federation/v1/openapi.json
}
