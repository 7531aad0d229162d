package main

import (
	"testing"

	"github.com/mosaicstack/fedkit/federation/federationtest"
)

// The suite that anybody can point at a gateway, at this one as a process.

func TestTheGatewayKeepsTheContractOnSQLite(t *testing.T) {
	t.Parallel()
	p := start(t, "-fixture", writeFixture(t, federationtest.Fixture()))
	federationtest.Run(t, federationtest.Gateway{URL: p.url})
}

// It is one of TestOnPostgres.
func keepsTheContract(t *testing.T, s server) {
	dsn, _ := s.database(t)
	p := start(t, "-db", dsn, "-fixture", writeFixture(t, federationtest.Fixture()))
	federationtest.Run(t, federationtest.Gateway{URL: p.url})
}
