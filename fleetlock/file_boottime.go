//go:build dragonfly || netbsd || openbsd

package fleetlock

import "golang.org/x/sys/unix"

// bootID is the time of the boot, for want of an identity. It changes when somebody
// sets the clock; from then on, the leases and tickets of processes that started before
// and after do not compare, as those of two boots do not: who lives then keeps the lock.
func bootID() [16]byte {
	boot, err := unix.SysctlRaw("kern.boottime")
	if err != nil || len(boot) == 0 {
		return randomID()
	}
	return hashID(string(boot))
}
