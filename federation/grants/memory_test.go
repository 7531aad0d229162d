package grants_test

import (
	"testing"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/grants/grantstest"
)

func TestMemoryIsAStore(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, func(*testing.T) grantstest.Store { return new(grants.Memory) })
}
