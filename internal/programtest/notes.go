package programtest

import (
	"bytes"
	"sync"
)

// Notes are text that is read while it is written. The zero value is empty.
type Notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *Notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

// String returns what has been written so far.
func (n *Notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}
