package fleetlocktest

import (
	"path/filepath"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock"
)

func TestTheRegisterInMemoryPasses(t *testing.T) {
	t.Parallel()
	m := new(Memory)
	Run(t, func() fleetlock.Register { return m })
}

func TestAFilePasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	RunLock(t, func(name string, opts ...fleetlock.Option) *fleetlock.Lock {
		return fleetlock.File(filepath.Join(dir, name), append(opts, fleetlock.NoSync())...)
	})
}
