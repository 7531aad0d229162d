// Package federationtest tells whether a gateway keeps the wire contract of federation,
// whoever wrote it and in whatever language: it asks the gateway over HTTP and holds the
// answers to what a published fixture says.
//
// # How to run it
//
// Put the data of [Fixture] into the gateway: rows, teams and grants; the member names are
// the columns of the standard schema. Give each grant a credential. With bearer tokens
// these are the tokens of the fixture:
//
//	go run github.com/mosaicstack/fedkit/cmd/federationtest -fixture > fixture.json
//	go run github.com/mosaicstack/fedkit/cmd/federationtest -url https://gateway.example
//
// A Go program calls [Run] in a test, or [Check] elsewhere. The gateway is only read, and
// may be asked a few thousand times within a minute: lift the limits of rates meanwhile. It
// must have no other rows of the fixture's users, and nothing in front of it that adds
// headers which differ from answer to answer.
//
// # What it says
//
// Cases have numbers that stay, and belong to levels: list (1xx), with capabilities and
// all that every verb has in common; get (2xx); fan-out (3xx). A level that the gateway
// does not offer, by its own capabilities, is reported as not offered, and never as
// passed. Within each case every answer is also held to the OpenAPI document of package
// contract, must echo its request id, and must have nothing in it that the fixture marks as
// secret. A suite knows the contract of its own version: a member that a later one adds
// is unknown to it, and refused.
//
// # What it cannot say
//
// That a gateway passes means that no case found a fault. What takes other data, other
// writers at the same time, a failing database or a clock is not tried: the laws that
// fedkit holds its own packages to go further.
package federationtest
