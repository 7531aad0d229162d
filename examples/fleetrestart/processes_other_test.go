//go:build !linux

package main

import (
	"os/exec"
	"strconv"
	"strings"
)

// processesOf returns the processes of the fleet that have a pid file; this system has
// no portable way to find others.
func processesOf(dir string) (pids []int) {
	f := fleet{dir: dir}
	names, _ := f.names()
	for _, name := range names {
		p, err := f.read(name)
		if err != nil {
			continue
		}
		if there, err := p.runs(); there && err == nil {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// standsStill reports whether a process is stopped.
func standsStill(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(state)), "T")
}
