package model

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// A System is what Explore walks: a start, and what can happen next.
type System[S comparable] interface {
	Start() S
	// Next calls visit with each state that one step leads to, always in the same order.
	Next(s S, visit func(S, Step))
	// Wrong says which invariant a state breaks, or nothing.
	Wrong(s S) Violation
	// Canonical is the same for states that differ only in the names of the processes.
	Canonical(s S) S
}

// A Violation names a broken invariant.
type Violation string

// A Step is one thing that happens: a system call of a process, or, if Who is negative,
// something that befalls it.
type Step struct {
	Who   int8
	Call  string // as strace writes it; empty if the step is no system call
	Note  string
	Wrong Violation // the invariant that this very step breaks
}

func (s Step) String() string {
	switch {
	case s.Who < 0:
		return "---- " + s.Note + " ----"
	case s.Call == "":
		return fmt.Sprintf("P%d %s", s.Who+1, s.Note)
	case s.Note == "":
		return fmt.Sprintf("P%d %s", s.Who+1, s.Call)
	}
	return fmt.Sprintf("P%d %-12s %s", s.Who+1, s.Call, s.Note)
}

// A Result is what Explore found.
type Result struct {
	States int       // that it visited
	Wrong  Violation // the first invariant that it found broken; empty if none is
	Trace  []Step    // a shortest way there
}

// String is the trace as a numbered list.
func (r Result) String() string {
	if r.Wrong == "" {
		return fmt.Sprintf("no violation in %d states", r.States)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s after %d steps (%d states explored):\n", r.Wrong, len(r.Trace), r.States)
	for i, step := range r.Trace {
		fmt.Fprintf(&b, "%5d. %s\n", i+1, step)
	}
	return b.String()
}

// Explore visits every state that can be reached, nearest first, until one is wrong.
func Explore[S comparable](sys System[S]) Result {
	w := walk[S]{System: sys, seen: newSet[S]()}
	w.reach(sys.Start(), Step{})
	for at := 0; at < len(w.seen.members) && w.wrong == ""; at++ {
		w.from = int32(at)
		sys.Next(w.seen.members[at], w.reach)
	}
	r := Result{States: len(w.seen.members), Wrong: w.wrong}
	if w.wrong != "" {
		r.Trace = w.trace()
	}
	return r
}

// A walk is an exploration under way.
type walk[S comparable] struct {
	System[S]
	seen    *set[S]
	parents []int32
	from    int32     // the state whose successors are being visited
	wrong   Violation // once found, with the state that the last step leads to
	last    S
}

func (w *walk[S]) reach(s S, step Step) {
	if w.wrong != "" {
		return
	}
	s = w.Canonical(s)
	fresh := w.seen.add(s)
	if fresh {
		w.parents = append(w.parents, w.from)
	}
	w.wrong = step.Wrong
	if w.wrong == "" && fresh {
		w.wrong = w.Wrong(s)
	}
	w.last = s
}

// trace goes the way to the wrong state once more, so that each process keeps its name.
func (w *walk[S]) trace() []Step {
	way := []S{w.last}
	for at := w.from; at != 0; at = w.parents[at] {
		way = append(way, w.seen.members[at])
	}
	s := w.Start()
	var trace []Step
	for i := len(way) - 1; i >= 0; i-- {
		var step Step
		s, step = w.towards(s, way[i], i == 0)
		trace = append(trace, step)
	}
	return trace
}

// towards finds the step that leads to a state, under whatever names. The last step may
// itself be what is wrong.
func (w *walk[S]) towards(s, to S, last bool) (at S, by Step) {
	found := false
	w.Next(s, func(next S, step Step) {
		fits := !last || step.Wrong == w.wrong || w.Wrong(next) == w.wrong
		if !found && fits && w.Canonical(next) == to {
			at, by, found = next, step, true
		}
	})
	return at, by
}

// A set remembers its members in the order in which they came. A map of states would
// hold each of them twice.
type set[S comparable] struct {
	seed    maphash.Seed
	members []S
	table   []int32 // open addressing; 1 + the index of a member, or 0
}

func newSet[S comparable]() *set[S] {
	return &set[S]{seed: maphash.MakeSeed(), table: make([]int32, 1<<12)}
}

// add reports whether the state is new.
func (t *set[S]) add(s S) bool {
	at := t.place(s)
	if t.table[at] != 0 {
		return false
	}
	t.members = append(t.members, s)
	t.table[at] = int32(len(t.members))
	if 2*len(t.members) > len(t.table) {
		t.grow()
	}
	return true
}

func (t *set[S]) place(s S) uint64 {
	mask := uint64(len(t.table) - 1)
	at := maphash.Comparable(t.seed, s) & mask
	for t.table[at] != 0 && t.members[t.table[at]-1] != s {
		at = (at + 1) & mask
	}
	return at
}

func (t *set[S]) grow() {
	t.table = make([]int32, 2*len(t.table))
	for i, s := range t.members {
		t.table[t.place(s)] = int32(i + 1)
	}
}
