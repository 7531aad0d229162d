package fleetlock

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process is the test binary run once more, which does with one lock what it is
// asked to, one thing at a time.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	requests *json.Encoder
	input    io.Closer
	replies  chan reply // closed when the process has died
}

// A lockSpec says which lock a process uses, and how.
type lockSpec struct {
	Path, Label string
	Lease       time.Duration
	Perm        fs.FileMode
	Sync        bool
	Slots       int           // more than one if it is not zero
	Drowse      time.Duration // of its clock, if it is a slumber
}

func (s lockSpec) lock(more ...Option) *Lock {
	opts := []Option{Label(s.Label), Lease(s.Lease)}
	if s.Perm != 0 {
		opts = append(opts, Perm(s.Perm))
	}
	if !s.Sync {
		opts = append(opts, NoSync())
	}
	if s.Slots != 0 {
		opts = append(opts, Slots(s.Slots))
	}
	return File(s.Path, append(opts, more...)...)
}

// A request is what a process is asked to do.
type request struct {
	Do     string
	Within time.Duration // of a wait; zero is for ever
	Token  uint64
	Ticket Ticket
	TTL    time.Duration
	Times  int
	Path   string
	Trap   trap
}

// A trap is sprung before a system call.
type trap struct {
	At     int    // the how-manieth from now on; zero is none
	Call   string // or which one; its first from now on
	Signal unix.Signal
	Errno  unix.Errno
	Lasts  bool // the error is that of all later calls, too
}

// A reply is what came of it.
type reply struct {
	Token  uint64
	Ticket Ticket
	Info   Info
	Number int
	Calls  []string
	Err    *failure
}

// err is what the process got, as far as errors.Is and errors.As go.
func (r reply) err() error {
	if r.Err == nil {
		return nil
	}
	return r.Err
}

// startProcess starts a process, which is killed at the end of the test.
func startProcess(t *testing.T, s lockSpec, changes ...func(*exec.Cmd)) *process {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), processEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	for _, change := range changes {
		change(cmd)
	}
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, requests: json.NewEncoder(in), input: in, replies: make(chan reply, 1)}
	go p.read(json.NewDecoder(out))
	t.Cleanup(func() { p.kill() })
	return p
}

// send asks for something that receive gets the result of.
func (p *process) send(r request) {
	p.t.Helper()
	if err := p.requests.Encode(r); err != nil {
		p.t.Fatalf("process %d cannot be asked to %s: %v", p.cmd.Process.Pid, r.Do, err)
	}
}

func (p *process) read(out *json.Decoder) {
	defer close(p.replies)
	for {
		var r reply
		if out.Decode(&r) != nil {
			return
		}
		p.replies <- r
	}
}

// receive returns io.EOF if the process has died.
func (p *process) receive() (reply, error) {
	if r, alive := <-p.replies; alive {
		return r, nil
	}
	return reply{}, io.EOF
}

// do asks and waits for the reply of a process that stays alive.
func (p *process) do(r request) reply {
	p.t.Helper()
	p.send(r)
	answer, err := p.receive()
	if err != nil {
		p.t.Fatalf("process %d died when it was asked to %s: %v", p.cmd.Process.Pid, r.Do, err)
	}
	return answer
}

// must is do for what has to succeed.
func (p *process) must(r request) reply {
	p.t.Helper()
	answer := p.do(r)
	if err := answer.err(); err != nil {
		p.t.Fatalf("process %d cannot %s: %v", p.cmd.Process.Pid, r.Do, err)
	}
	return answer
}

// attempt asks for what may spring a trap, and reports whether the process survived it.
func (p *process) attempt(r request) (reply, bool) {
	p.t.Helper()
	p.send(r)
	answer, err := p.receive()
	if err == nil {
		return answer, true
	}
	p.kill()
	return reply{}, false
}

// kill returns when the process, and with it all that it held, is gone.
func (p *process) kill() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // that it was killed is no news
	_ = p.input.Close()
}

// stop returns when the process stands still.
func (p *process) stop() {
	p.t.Helper()
	if err := unix.Kill(p.cmd.Process.Pid, unix.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	p.awaitStop()
}

func (p *process) awaitStop() {
	p.t.Helper()
	if !p.stopsBeforeReply() {
		p.t.Fatalf("process %d should have stopped", p.cmd.Process.Pid)
	}
}

// stopsBeforeReply waits until the process stands still or has replied, and reports
// whether it stands still. The reply is for receive.
func (p *process) stopsBeforeReply() bool {
	p.t.Helper()
	for range patiently / time.Millisecond {
		if p.stopped() {
			return true
		}
		if len(p.replies) > 0 {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	p.t.Fatalf("process %d neither stopped nor replied", p.cmd.Process.Pid)
	return false
}

// stopped reports whether the process stands still since the last resume.
func (p *process) stopped() bool {
	p.t.Helper()
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, &info, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		p.t.Fatal(err)
	}
	const stopped = 5 // CLD_STOPPED
	return info.Code == stopped
}

func (p *process) resume() {
	p.t.Helper()
	if err := unix.Kill(p.cmd.Process.Pid, unix.SIGCONT); err != nil {
		p.t.Fatal(err)
	}
}
