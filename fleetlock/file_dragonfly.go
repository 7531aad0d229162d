package fleetlock

import "golang.org/x/sys/unix"

// uptimeClock is not documented to go on or to stand still while the machine is
// suspended (clock_gettime(2)).
const uptimeClock = unix.CLOCK_MONOTONIC
