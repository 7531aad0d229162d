//go:build unix && !linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// born is the time that ps gives, to the second.
func born(pid int) (string, error) {
	ps := exec.Command("ps", "-o", "stat=", "-o", "lstart=", "-p", strconv.Itoa(pid))
	ps.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC0")
	text, err := ps.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && len(text) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	state, began, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if strings.HasPrefix(state, "Z") {
		return "", nil
	}
	return strings.Join(strings.Fields(began), " "), nil
}
