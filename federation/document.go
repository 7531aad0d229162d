package federation

import (
	"strings"

	"github.com/mosaicstack/fedkit/federation/contract"
)

// documents are what Config.Contract serves, by the path behind Prefix.
var documents = map[string][]byte{
	contract.OpenAPIName:    []byte(contract.OpenAPI()),
	contract.GrantScopeName: []byte(contract.GrantScope()),
}

// document is the one that the request asks for.
func document(x *exchange) []byte {
	return documents[strings.TrimPrefix(x.request.URL.Path, Prefix)]
}
