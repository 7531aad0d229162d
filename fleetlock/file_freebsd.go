package fleetlock

import "golang.org/x/sys/unix"

// uptimeClock stands still while the machine is suspended (FreeBSD bug 236702), so far:
// it is planned that it will not (reviews.freebsd.org/D39270).
const uptimeClock = unix.CLOCK_MONOTONIC

// bootID is what the kernel makes up when it starts, since FreeBSD 13. The time of the
// boot would not do: it changes when the clock is set.
func bootID() [16]byte {
	id, err := unix.SysctlRaw("kern.boot_id")
	if err != nil || len(id) == 0 {
		return randomID()
	}
	return hashID(string(id))
}
