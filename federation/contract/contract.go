// Package contract has the wire contract of federation as documents for programs: an
// OpenAPI 3.1 description of every answer, and the JSON Schema of the scope of a grant.
//
// Whoever writes a peer or a gateway in another language generates code from them, or
// holds answers to them; package federationtest does that to any gateway. A gateway serves
// both to its peers with [federation.Config]'s Contract. A host that wants them to be public
// serves the texts itself, as in the example. The one refers to the other by its name,
// so they belong into one directory.
//
// # Guarantees
//
// The tests of federation hold each answer to the description, and none is in it that no
// test gets; those of package scope hold its parser to the schema. So neither says what is
// not so. Members may be added to answers by later versions, so readers ignore those that
// they do not know.
//
// # Limits
//
// A schema cannot say all that a parser refuses, such as a member that is there twice: what
// it cannot say is in its $comment.
//
// # Sources
//
// OpenAPI Specification 3.1, JSON Schema 2020-12, and RFC 9457 for errors as
// application/problem+json.
//
// [federation.Config]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation#Config
package contract

import _ "embed"

// The names of the documents, as the last segment of their paths.
const (
	OpenAPIName    = "openapi.json"
	GrantScopeName = "grant-scope.v1.schema.json"
)

var (
	//go:embed openapi.json
	openAPI string
	//go:embed grant-scope.v1.schema.json
	grantScope string
)

// OpenAPI returns the description of the API, in OpenAPI 3.1: one JSON object in UTF-8.
func OpenAPI() string { return openAPI }

// GrantScope returns the schema of what a host stores with a grant, and package scope
// reads, in JSON Schema 2020-12: one JSON object in UTF-8.
func GrantScope() string { return grantScope }
