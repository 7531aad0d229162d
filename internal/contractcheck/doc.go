// Package contractcheck holds the contract, and the package that the tests of the root
// judge by it, to well-known validators. It is a module of its own for what these need.
package contractcheck
