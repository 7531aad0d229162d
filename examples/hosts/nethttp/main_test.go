package main

import (
	"testing"

	"github.com/mosaicstack/fedkit/examples/hosts/internal/hosttest"
)

func TestMain(m *testing.M) { hosttest.Main(m, main) }

func TestPeersReadWhatTheirGrantsShow(t *testing.T) { hosttest.Peers(t) }

func TestTheServiceKeepsItsOwnRoutes(t *testing.T) { hosttest.OwnRoutes(t) }
