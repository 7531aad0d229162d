// Command lock measures fleetlock side by side with other locks on a file: what an
// acquisition costs when nobody else wants the lock, how much gets through and how evenly
// when eight goroutines or eight processes do, and how long the next one waits after a
// release and after a SIGKILL of the holder.
//
//	go run ./bench/lock -rounds 5 -time 2s -out lock.md -svg handover.svg
//
// All take turns, every time in another order, so that whatever else the
// machine does hits all alike; medians are reported. Times are good for comparison with
// each other only, and so the multiples of flock(2) are what counts.
//
// It runs on Unix systems: flock is what everything is compared with, and the processes
// share memory to notice when two of them hold a lock at once.
package main
