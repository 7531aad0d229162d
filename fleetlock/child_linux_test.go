package fleetlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// A server is the other end of a process: it does what the test asks for.
type server struct {
	lock    *Lock
	held    *Held
	calls   caller
	slumber *slumber
	waiting chan granting
}

// A granting is what came of a wait.
type granting struct {
	held *Held
	err  error
}

// serveProcess serves until its input ends, which is when the test has ended.
func serveProcess(spec string) {
	var s lockSpec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		panic(err)
	}
	var v server
	v.slumber = &slumber{drowse: s.Drowse}
	var more []Option
	if s.Drowse > 0 {
		more = append(more, by(v.slumber))
	}
	v.lock = hook(s.lock(more...), v.calls.before)
	requests, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if requests.Decode(&r) != nil {
			return
		}
		if err := replies.Encode(v.serve(r)); err != nil {
			return
		}
	}
}

func (v *server) serve(r request) (answer reply) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if r.Within > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Within)
	}
	defer cancel()
	var err error
	switch r.Do {
	case "acquire":
		answer.Token, err = v.hold(v.lock.Acquire(ctx))
	case "wait": // until it sleeps until it is told
		v.wait()
	case "be granted": // after that
		select {
		case g := <-v.waiting:
			answer.Token, err = v.hold(g.held, g.err)
		case <-ctx.Done():
			err = ctx.Err()
		}
	case "try":
		answer.Token, err = v.hold(v.lock.TryAcquire(ctx))
	case "resume":
		answer.Token, err = v.hold(v.lock.Resume(ctx, r.Ticket))
	case "release":
		err = v.held.Release()
	case "detach":
		answer.Ticket, err = v.held.Detach(r.TTL)
	case "renew":
		err = v.held.renewOnce()
	case "ask":
		err = v.held.Err()
	case "watch": // from now on
		v.held.Context()
	case "hear": // what ended the context
		select {
		case <-v.held.Context().Done():
			err = context.Cause(v.held.Context())
		case <-ctx.Done():
			err = ctx.Err()
		}
	case "inspect":
		answer.Info, err = v.lock.Inspect(ctx)
	case "break":
		err = v.lock.Break(ctx, r.Token, "the test says so")
	case "repair":
		err = v.lock.Repair(ctx, "the test says so")
	case "work":
		answer.Number, err = v.work(r)
	case "share":
		answer.Number, err = v.share(r)
	case "touch":
		err = witness{r.Path}.touch(v.held)
	case "trap":
		v.calls.set(r.Trap)
	case "calls":
		answer.Calls = v.calls.take()
	case "leak":
		answer.Number, err = v.spawn(true)
	case "spawn":
		answer.Number, err = v.spawn(false)
	case "become":
		err = errors.Join(unix.Setgroups(nil), unix.Setresgid(r.Times, r.Times, r.Times), unix.Setresuid(r.Times, r.Times, r.Times))
	case "umask":
		unix.Umask(r.Times)
	case "descriptors":
		err = limitDescriptors(r.Times)
	case "count":
		answer.Number = countDescriptors()
	case "collect":
		debug.FreeOSMemory()
	case "id":
		answer.Number = os.Getpid()
	default:
		err = fmt.Errorf("nobody can %s", r.Do)
	}
	answer.Err = describeFailure(err)
	return answer
}

func (v *server) hold(h *Held, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	v.held = h
	return h.Token(), nil
}

func (v *server) wait() {
	v.waiting = make(chan granting, 1)
	go func() {
		h, err := v.lock.Acquire(context.Background())
		v.waiting <- granting{h, err}
	}()
	for v.slumber.asleep.Load() == 0 && len(v.waiting) == 0 {
		time.Sleep(time.Millisecond)
	}
	v.slumber.lift()
}

// work takes the lock a number of times, or for ever, before a witness.
func (v *server) work(r request) (done int, err error) {
	for ; r.Times == 0 || done < r.Times; done++ {
		h, err := v.lock.Acquire(context.Background())
		if err != nil {
			return done, err
		}
		if err := (witness{r.Path}).see(h, r.TTL); err != nil {
			return done, err
		}
		if err := h.Release(); err != nil {
			return done, err
		}
	}
	return done, nil
}

// spawn starts a process that only lives, with the lock's descriptor if it leaks.
func (v *server) spawn(leak bool) (pid int, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sleeperEnv+"=1")
	if leak {
		fd, err := unix.Dup(int(sessionOf(v.held).file.Fd())) // not closed on exec
		if err != nil {
			return 0, err
		}
		defer unix.Close(fd)
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// limitDescriptors leaves room for so many more descriptors; fewer than none lifts the
// limit.
func limitDescriptors(more int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if more >= 0 {
		next, err := unix.Dup(0)
		if err != nil {
			return err
		}
		_ = unix.Close(next)
		limit.Cur = uint64(next + more)
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

func countDescriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(list) - 1 // without that of the list
}

// A failure carries an error to another process: what it matches, not what it says.
type failure struct {
	Text    string
	Matches []string
	Busy    *Holder
	Lost    *uint64
}

var known = map[string]error{
	"ErrLost": ErrLost, "ErrReleased": ErrReleased, "ErrNotHeld": ErrNotHeld, "ErrTicket": ErrTicket,
	"ErrCorrupt": ErrCorrupt, "ErrUnsafe": ErrUnsafe, "ErrFileSystem": ErrFileSystem,
	"Canceled": context.Canceled, "DeadlineExceeded": context.DeadlineExceeded, "EOF": io.EOF,
	"ErrNotExist": fs.ErrNotExist, "ErrPermission": fs.ErrPermission,
	"ENOSPC": unix.ENOSPC, "EMFILE": unix.EMFILE, "EACCES": unix.EACCES, "EIO": unix.EIO, "EROFS": unix.EROFS,
}

func describeFailure(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error()}
	for name, target := range known {
		if errors.Is(err, target) {
			f.Matches = append(f.Matches, name)
		}
	}
	if busy := new(BusyError); errors.As(err, &busy) {
		f.Busy = &busy.Holder
	}
	if lost := new(LostError); errors.As(err, &lost) {
		f.Lost = &lost.Token
	}
	return f
}

func (f *failure) Error() string { return f.Text }

func (f *failure) Is(target error) bool {
	for _, name := range f.Matches {
		if known[name] == target {
			return true
		}
	}
	return false
}

func (f *failure) As(target any) bool {
	switch target := target.(type) {
	case **BusyError:
		if f.Busy != nil {
			*target = &BusyError{Holder: *f.Busy}
		}
		return f.Busy != nil
	case **LostError:
		if f.Lost != nil {
			*target = &LostError{Token: *f.Lost}
		}
		return f.Lost != nil
	}
	return false
}

// stopHere stops the process before it returns: a signal to the thread that sends it
// arrives on the way back from the kernel.
func stopHere(signal unix.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), signal)
	if signal == unix.SIGKILL {
		time.Sleep(time.Hour) // not that it comes to this
	}
}
