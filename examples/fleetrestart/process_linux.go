package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// born is the boot and the clock ticks from it to the start of the process.
func born(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return "", nil
	case err != nil:
		return "", err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	// The name of the program, in parentheses, may hold anything; fields are counted
	// from behind it, beginning with the third (proc_pid_stat(5)).
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", fmt.Errorf("/proc/%d/stat cannot be read: %q", pid, text)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return "", nil
	}
	return strings.TrimSpace(string(boot)) + "+" + fields[19], nil
}
