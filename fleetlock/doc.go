// Package fleetlock lets one process at a time do what must not be done twice at once,
// such as restarting a fleet, and stays right when holders crash, hang, or fill the
// disk. It works among the processes of one machine, through a file on a local disk, and
// among many machines, through a database: see [On], and packages [pglock] and [etcdlock]
// below this one. It is not for network file systems, and cannot stop a holder that goes
// on after it lost the lock: see the caveats below. What follows is about files.
//
//	lock := fleetlock.File("/run/fleet/restart.lock", fleetlock.Label("deploy 1742"))
//	held, err := lock.Acquire(ctx)
//	if err != nil {
//		return err // ctx ended; the error says who holds the lock
//	}
//	defer held.Release()
//	return restart(held.Context(), held.Token())
//
// # Guarantees
//
// At most one holder at a time, whatever is killed, paused or full: a holder is one
// whose [Held.Err] is nil. Tokens rise with every grant and never start again, over
// releases, crashes, repairs and restarts of the machine. A holder that loses the lock
// is told by its context and by Err. An error, of whatever kind, never grants.
//
// A holder that dies leaves the lock free at once: that it lives is a lock of the
// kernel, which the kernel drops with the process. Nobody's age is ever looked at.
// Waiting, however long, takes the lock from nobody who lives. There are three other
// ways to lose it: a lease of one's own choice that runs out ([Lease]), an operator's
// decision ([Lock.Break]), and someone who moves, replaces or overwrites the file.
//
// Those who wait are woken by the kernel. In one process they are served in the order
// in which they came; among processes the kernel decides. On Linux no thread waits: all
// waiters of a process share one inotify descriptor in Go's network poller, which one of
// them reads for all. Who releases a lock that others wait for offers them its processor
// (sched_yield(2)) before Release returns.
//
// # Slots
//
// With [Slots] a lock has several holders at once, each with a token of its own. A file
// that is to keep them needs a [Lease], since it keeps them as a register does: see [On].
// All the same, the dead hold nothing: each holder, and each who waits in the line, has a
// lock of the kernel of its own. A ticket alone lasts until its time is over. On a full disk
// nobody comes in for whom there was no room before, but all who are in can renew their
// leases and leave.
//
//	fleetlock.File("/run/fleet/restart.slots", fleetlock.Slots(3), fleetlock.Lease(time.Minute))
//
// Of the record there are two copies. While one is damaged, nobody can tell whom the other
// granted a slot; so as long as one lives who may be that holder, nobody is granted another,
// and holders cannot renew their leases.
//
// # Caveats
//
// Network file systems are refused, by [ErrFileSystem]: NFS, SMB, Ceph, FUSE and others
// like them. Their locks can be lost without a word, and they do not tell one machine
// of another's changes.
//
// A holder that stands still, such as one that is stopped by a signal or swapped out,
// does not know what happens meanwhile. Without a lease nothing does: everyone waits
// for it. With one, others go on, and what the old holder does between its last look at
// Err and its next one comes late. Give [Held.Token] along to whatever the lock
// protects, and have that refuse tokens lower than the highest it has seen; then late
// work does no harm.
//
// What a killed holder has asked of the kernel or of other processes may still happen
// after the next one was granted the lock: writes that are on their way, children that
// live on. Fence them by the token, too, or end them first.
//
// Who may write the file can do anything to the lock, and who may read it can keep
// others waiting. It is made with mode 0600, and one with a wider mode or another owner
// is refused: see [Perm]. Who may write its directory can replace it; a holder notices,
// as does whoever comes next.
//
// A process that is stopped while it changes the record, which takes microseconds,
// keeps others from changing it until it goes on or dies. They can release all the
// same: a release that cannot be written down is seen as the holder's death.
//
// A descriptor that a program hands on to a child by hand, past close-on-exec, keeps
// the lock alive as long as the child has it.
//
// # From the restart lock of the Mosaic stack
//
//	there                                here
//	acquireRestartLock(home, sleep)      File(path).Acquire(ctx)
//	guard.release()                      Held.Release; it says if the lock was lost
//	waits 'max wait', then breaks        never; ctx ends the wait, and its error says who holds
//	                                     the lock. To pass over that holder: Inspect, then Break
//	breaks what is older than 'stale'    never; a dead holder is known at once, a hung one by Lease
//	a file unreadable or empty is stale  an error; ErrCorrupt only by Repair
//	.mutex and .reclaim beside the file  none; a lock of the kernel
//	polls every 20 ms and longer         woken by the kernel
//	random token, compared by name       Token, a number that rises
//	process id, recorded and unused      Inspect, and every *BusyError
//	makes the directory                  the directory has to be there
//
// # Systems
//
// On Linux everything is as above. It needs Linux 4.11, for statx(2), and /proc. The
// tests run there.
//
// On macOS and the BSDs the lock is made of POSIX record locks, with their traps
// removed inside this package. While a process holds a lock, nothing else in it may
// open and close the lock file, by whatever name, and it must not contain two copies of
// this package: closing the file would drop the lock. On Windows it is LockFileEx;
// there Perm means nothing, because access is what the directory's access control list
// says, and a killed holder's lock ends when Windows gets to it.
//
// Outside Linux those who wait look again at intervals, and a holder is told of a loss
// within about 100 ms of its happening; Err knows at once.
//
// Leases stand still while the machine is suspended on Linux, macOS and, so far,
// FreeBSD. They run on Windows and OpenBSD: after waking, a holder may find its lease
// over, and must ask Err before it goes on. NetBSD and DragonFly do not say. Without
// kern.boot_id (FreeBSD before 13), or after the clock was set on OpenBSD, NetBSD and
// DragonFly, leases of different processes may not compare; then a holder that lives
// keeps the lock until it ends or Break.
//
// Network file systems are refused by the mount's local flag and by name on macOS and
// the BSDs, and by the volume's device on Windows. One that claims to be local and is
// not cannot be told.
//
// The record locks and the looking again of macOS and the BSDs are tested on Linux,
// under the build tag fleetlock_posix. The system calls that are theirs alone, and
// everything for Windows, compile and pass vet but were never run.
//
// [pglock]: https://pkg.go.dev/github.com/mosaicstack/fedkit/fleetlock/pglock
// [etcdlock]: https://pkg.go.dev/github.com/mosaicstack/fedkit/fleetlock/etcdlock
package fleetlock
