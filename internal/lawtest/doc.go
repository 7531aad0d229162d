// Package lawtest is the suite that every SQL dialect and every driver of
// fedkit must pass. It is written from the specification alone: it knows the
// standard schema, the wire contract and the laws, and nothing of the
// statements that listquery builds.
//
// Four entry points are run by thin test files, one per driver:
//
//	lawtest.Storage(t, open)   // listquery.Store on a real database
//	lawtest.Gateway(t, open)   // federation's handler in front of such a store
//	lawtest.Recovery(t, open)  // the same while the database stops and starts
//	lawtest.Trouble(t, connect) // what a store says of a Postgres in trouble
//
// Every law compares the system with a slow oracle that walks typed rows in
// memory, asks scope.Filter.Allows about each of them and sorts what is left.
//
// The random sources are seeded, and each test logs its seed. Two environment
// variables steer a run: FEDKIT_LAW_SEED repeats the random choices of an
// earlier run, and FEDKIT_LAW_ROUNDS replaces the number of rounds of every
// property test (the default is small, yet large enough that each flaw of the
// seed is caught by it).
package lawtest
