package enroll

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"testing"

	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/internal/openapi"
)

// Each answer of a desk in these tests is held against the contract, see office.open. And
// the contract has none that no test gets, but for those of a gateway without a desk.
func TestMain(m *testing.M) {
	os.Exit(contracttest.Main(m, []string{"enroll"},
		openapi.Case{Operation: "enroll", Status: http.StatusNotFound, Media: "application/json"},
		openapi.Case{Operation: "enroll", Status: http.StatusNotFound, Media: "application/problem+json"}))
}

func TestTheContractHasTheErrorsOfTheDesk(t *testing.T) {
	type wireCode struct {
		status int
		code   string
	}
	want := map[wireCode]bool{{http.StatusNotFound, "not_found"}: true} // where there is no desk
	for _, ruled := range rulings {
		want[wireCode{ruled.status, ruled.wire}] = true
	}
	want[wireCode{http.StatusTooManyRequests, "rate_limited"}] = true // that of Config.Addresses
	for _, status := range []int{http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType} {
		want[wireCode{status, "invalid_request"}] = true // those of read
	}
	description := openapi.Contract()
	cases, err := description.Cases("enroll")
	if err != nil {
		t.Fatal(err)
	}
	for _, media := range []string{"application/json", "application/problem+json"} {
		got := map[wireCode]bool{}
		for _, c := range cases {
			if c.Status < 400 || c.Media != media {
				continue
			}
			codes, err := description.ErrorCodes(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range codes {
				got[wireCode{c.Status, code}] = true
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: the contract has the errors %s,\nand the desk %s", media, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}
