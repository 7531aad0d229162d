//go:build unix

package fleetlock

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const hasModes = true

// trustOwner refuses a file of another user, who may do with it what he likes, unless it
// is to be shared.
func trustOwner(id fs.FileInfo, perm fs.FileMode) error {
	owner, me := id.Sys().(*syscall.Stat_t).Uid, uint32(os.Geteuid())
	if owner != me && owner != 0 && perm&0o022 == 0 {
		return fmt.Errorf("%w: it belongs to user %d, and this is user %d; a shared lock has a mode that others can write, see Perm",
			ErrUnsafe, owner, me)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
