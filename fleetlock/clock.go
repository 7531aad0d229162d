package fleetlock

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// An instant is a moment that other processes can compare with their own. Within one
// boot of the machine it is counted by the clock that nobody can set; moments of
// different boots compare by the wall clock alone.
type instant struct {
	boot   [16]byte
	uptime time.Duration
	wall   time.Time
}

func (i instant) add(d time.Duration) instant {
	i.uptime += d
	i.wall = i.wall.Add(d)
	return i
}

// sub returns the time from o to i, and whether both are of one boot.
func (i instant) sub(o instant) (time.Duration, bool) {
	if i.boot != o.boot {
		return i.wall.Sub(o.wall), false
	}
	return i.uptime - o.uptime, true
}

// A clock tells the time and wakes sleepers by it.
type clock interface {
	now() instant
	// after calls f when d has passed, unless that is called off before by stop. What f
	// does never waits.
	after(d time.Duration, f func()) (stop func() bool)
}

// timer returns a channel that is sent to when d has passed by a clock, and a function
// that calls that off.
func timer(c clock, d time.Duration) (<-chan struct{}, func() bool) {
	due := make(chan struct{}, 1)
	return due, c.after(d, func() { due <- struct{}{} })
}

// systemClock is the machine's. A Go timer runs by the same clock as uptime, so that
// both stand still while the machine is suspended.
var systemClock clock = machineClock{}

type machineClock struct{}

func (machineClock) now() instant {
	now := time.Now()
	return instant{boot: boot(), uptime: origin.uptime + now.Sub(origin.at), wall: now}
}

func (machineClock) after(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// origin is a moment by both the machine's clock and Go's, whose monotonic reading
// cannot be read by itself but costs no system call. It is that of the program's start:
// a later one could be in a bubble of testing/synctest, whose time nobody else has.
var origin = struct {
	uptime time.Duration
	at     time.Time
}{uptime(), time.Now()}

var boot = sync.OnceValue(bootID)

func randomID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

func hashID(texts ...string) [16]byte {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return [16]byte(sum[:16])
}
