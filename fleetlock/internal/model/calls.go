package model

// The scenarios of Calls.
const (
	Uncontended = "uncontended" // Acquire and Release of a free lock
	Contended   = "contended"   // Acquire of a lock that is held, until it is released; Release
	HandOver    = "hand-over"   // Release of a lock that somebody waits for
	TakeOver    = "take-over"   // Acquire of a lock whose holder was killed
)

// Calls returns the system calls of one process, as the model makes them, in one of the
// scenarios: "pread", "pwrite", "fdatasync", "lstat", "utimensat", "inotify_add_watch",
// and "setlk", "getlk" and "unlock" with the byte: G the guard, L the liveness byte, W
// that of the waiters. It returns nil for a scenario that it does not know.
func Calls(scenario string) []string {
	r := rehearsal{machine: machine{Config{Processes: 2, Rounds: 1, Kills: 1}}}
	r.s = r.Start()
	const other, one = 0, 1
	switch scenario {
	case Uncontended:
		return append(r.runs(one, holding), r.runs(one, rest)...)
	case Contended:
		r.runs(other, holding)
		calls := r.runs(one, sleep)
		r.runs(other, rest)
		calls = append(calls, r.runs(one, holding)...)
		return append(calls, r.runs(one, rest)...)
	case HandOver:
		r.runs(one, holding)
		r.runs(other, sleep)
		return r.runs(one, rest)
	case TakeOver:
		r.runs(other, holding)
		r.kills(other)
		return r.runs(one, holding)
	}
	return nil
}

// A rehearsal plays one of the many ways in which things can happen.
type rehearsal struct {
	machine
	s state
}

// runs lets one process alone go on to where it is to be, and returns its calls.
func (r *rehearsal) runs(i int, to pc) (calls []string) {
	for first := true; first || r.s.procs[i].pc != to; first = false {
		next, step := r.s, Step{}
		r.step(turn{machine: r.machine, s: r.s, i: i, visit: func(s state, did Step) {
			if next == r.s {
				next, step = s, did
			}
		}})
		r.s = next
		if step.Call != "" {
			calls = append(calls, step.Call)
		}
	}
	return calls
}

// kills kills a process, and has the kernel drop its locks.
func (r *rehearsal) kills(i int) {
	for r.s.procs[i].pc != gone {
		r.kill(r.s, i, func(s state, _ Step) { r.s = s })
	}
}
