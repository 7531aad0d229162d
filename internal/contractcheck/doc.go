// Package contractcheck holds the contract, and the packages that the tests of the root
// judge by it, to a well-known validator and to the schema of OpenAPI documents. It is a
// module of its own for what that needs.
//
// The schema in testdata is the OpenAPI Initiative's, under the Apache License 2.0.
package contractcheck
