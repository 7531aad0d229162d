//go:build !unix

package pgtest

import "os/exec"

// separate refuses: a throwaway server needs a Unix shell. On these systems tests
// use the server that FEDKIT_TEST_DSN names.
func separate(*exec.Cmd) error { return errNotInstalled }
