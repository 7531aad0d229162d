package main

import (
	"fmt"
	"io"
	"time"
)

// progress prints what happens, when, and to whom.
type progress struct{ w io.Writer }

// lockName stands where lines about processes have their name.
const lockName = "lock"

func (p *progress) line(who, format string, args ...any) {
	fmt.Fprintf(p.w, "%s  %-12s  %s\n", time.Now().Format("15:04:05.000"), who, fmt.Sprintf(format, args...))
}

// brief rounds a duration to what people want to know of it.
func brief(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
