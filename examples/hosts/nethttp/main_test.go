package main

import (
	"testing"

	"github.com/mosaicstack/fedkit/examples/hosts/internal/hosttest"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestPeersReadWhatTheirGrantsShow(t *testing.T) { hosttest.Peers(t) }

func TestTheServiceKeepsItsOwnRoutes(t *testing.T) { hosttest.OwnRoutes(t) }

func TestASignalLetsRequestsInFlightFinish(t *testing.T) { hosttest.Stops(t) }
