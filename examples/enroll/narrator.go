package main

import (
	"fmt"
	"io"
	"sync"
)

// A narrator writes the story down, also when two tell it at once.
type narrator struct {
	mu sync.Mutex
	w  io.Writer
	n  int
}

func newNarrator(w io.Writer) *narrator { return &narrator{w: w} }

func (n *narrator) chapter(title string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
	fmt.Fprintf(n.w, "\n%d. %s\n", n.n, title)
}

func (n *narrator) line(who, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.w, "   %-8s %s\n", who, fmt.Sprintf(format, args...))
}
