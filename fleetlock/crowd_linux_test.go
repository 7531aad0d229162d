package fleetlock

import (
	"fmt"
	"testing"
)

// A crowd is processes that take one lock as fast as each of them can, before a witness.
type crowd struct {
	path    string
	seen    witness
	members []*process
	spec    func(i int) lockSpec
	size    int64 // of what the witness had seen when it was last waited for
}

// startCrowd starts six. Each of them has the lock that spec says, at the crowd's path.
func startCrowd(t *testing.T, spec func(i int) lockSpec) *crowd {
	t.Helper()
	path := lockPath(t)
	c := &crowd{path: path, seen: witness{path + ".witness"}, members: make([]*process, 6), spec: spec}
	for i := range c.members {
		c.start(t, i)
	}
	return c
}

func (c *crowd) start(t *testing.T, i int) {
	t.Helper()
	spec := c.spec(i)
	spec.Path, spec.Label = c.path, fmt.Sprint(i)
	c.members[i] = startProcess(t, spec)
	c.members[i].send(request{Do: "work", Path: c.seen.path})
}

// replace kills a member, wherever it is, and starts another one in its place.
func (c *crowd) replace(t *testing.T, i int) {
	t.Helper()
	c.members[i].kill()
	c.start(t, i)
}

// awaitMore waits until somebody has held the lock since the last call.
func (c *crowd) awaitMore(t *testing.T) {
	t.Helper()
	c.size = c.seen.awaitMore(t, c.size)
}

// end kills them all. What they have done must have been one holder at a time.
func (c *crowd) end(t *testing.T) {
	t.Helper()
	for _, p := range c.members {
		p.kill()
	}
	_, last := c.seen.check(t)
	mustFollow(t, c.path, last)
}
