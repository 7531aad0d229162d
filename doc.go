// Package fedkit is the documentation of a module of independent packages; import the
// one that you need.
//
// A gateway serves lists of a user's rows to peer gateways that hold a grant: exactly
// the rows that the grant and the gateway's own access rules allow, page by page. The
// example of this package wires one from parts:
//
//   - [github.com/mosaicstack/fedkit/federation] answers HTTP requests, asks other
//     gateways, and merges their lists into one,
//   - [github.com/mosaicstack/fedkit/scope] decides what a grant shows,
//   - [github.com/mosaicstack/fedkit/listquery] reads the rows from Postgres or SQLite,
//   - [github.com/mosaicstack/fedkit/cursor] carries the position between two pages.
//
// [github.com/mosaicstack/fedkit/fleetlock] is a part of its own: a lock for what must not
// be done twice at once, such as restarting a fleet, on one machine or on many.
//
// None of them brings in more than it needs: federation lists whatever implements its
// Lister, and a program that imports only cursor or scope depends on the standard library
// alone.
package fedkit
