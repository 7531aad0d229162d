// Package contract has the wire contract of federation as documents for programs: an
// OpenAPI 3.1 description of every answer, and the JSON Schema of the scope of a grant.
//
// The tests of federation hold each response to the description, and the parser of
// package scope to the schema, so neither says what is not so. A gateway serves both
// to its peers with federation.Config.Contract; a host that wants them to be public
// serves the texts itself. The one refers to the other by its name, so they belong
// into one directory.
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

// OpenAPI returns the description of the API, in OpenAPI 3.1.
func OpenAPI() string { return openAPI }

// GrantScope returns the schema of what a host stores with a grant, and package scope
// reads, in JSON Schema 2020-12. What a schema cannot say is in its $comment.
func GrantScope() string { return grantScope }
