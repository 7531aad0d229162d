//go:build !fleetlock_posix && (386 || arm || mips || mipsle)

package fleetlock

import "golang.org/x/sys/unix"

// sysFcntl is the call that takes a unix.Flock_t, whose fields have 64 bits.
const sysFcntl = unix.SYS_FCNTL64
