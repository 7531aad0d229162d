package fleetlock

import "golang.org/x/sys/unix"

// uptimeClock is mach_absolute_time, which Go reads (runtime, sys_darwin.go): it stands
// still while the machine sleeps. CLOCK_MONOTONIC goes on here, unlike on Linux.
const uptimeClock = unix.CLOCK_UPTIME_RAW

// bootID is a UUID that the kernel makes up when it starts (xnu, kern_sysctl.c).
func bootID() [16]byte {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil || id == "" {
		return randomID()
	}
	return hashID(id)
}
