//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// patience is how long a worker may take to answer before it is killed: longer than
// anything that is measured.
const patience = time.Minute

// grace is how long a worker may take to end, once it is told to.
const grace = time.Minute

// A worker is a process that does a job, seen by the one that started it.
type worker struct {
	contender string
	process   *os.Process
	stdin     io.WriteCloser
	stdout    *os.File
	orders    *json.Encoder
	reports   *json.Decoder
	ended     chan struct{} // closed when the process has ended
	end       error         // how it did
}

// startWorker returns when the worker is ready.
func startWorker(j job) (*worker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	w := &worker{contender: j.Contender, ended: make(chan struct{})}
	if w.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := w.start(cmd); err != nil {
		return nil, err
	}
	if _, err := w.hear(); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

// start has the process waited for from the start: as long as nobody does, a process
// that was killed counts as alive for those who look for it by its number.
func (w *worker) start(cmd *exec.Cmd) error {
	// Not StdoutPipe: that is closed when the process ends, read or not.
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer write.Close()
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		return errors.Join(err, read.Close())
	}
	w.process, w.stdout = cmd.Process, read
	w.orders, w.reports = json.NewEncoder(w.stdin), json.NewDecoder(read)
	go func() {
		w.end = cmd.Wait()
		close(w.ended)
	}()
	return nil
}

// tell gives an order and does not wait for the report.
func (w *worker) tell(o order) error {
	if err := w.orders.Encode(o); err != nil {
		return fmt.Errorf("%s: %s: %w", w.contender, o.Verb, err)
	}
	return nil
}

// hear waits for a report.
func (w *worker) hear() (r report, err error) {
	late := time.AfterFunc(patience, w.kill)
	defer late.Stop()
	if err := w.reports.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: no report: %w", w.contender, err)
	}
	if r.Err != "" {
		return r, fmt.Errorf("%s: %s: %s", w.contender, r.Verb, r.Err)
	}
	return r, nil
}

// do gives an order and waits for the report that it was carried out.
func (w *worker) do(o order) (report, error) {
	if err := w.tell(o); err != nil {
		return report{}, err
	}
	for {
		if r, err := w.hear(); err != nil || r.Verb == o.Verb {
			return r, err
		}
	}
}

// kill does not wait for the end of the process.
func (w *worker) kill() { _ = w.process.Kill() }

// stop has the worker end, and returns what went wrong with that.
func (w *worker) stop() error {
	late := time.AfterFunc(grace, w.kill)
	defer late.Stop()
	_ = w.stdin.Close()
	<-w.ended
	return errors.Join(w.end, w.stdout.Close())
}

// bury frees what is left of a worker that was killed.
func (w *worker) bury() {
	<-w.ended
	_ = w.stdout.Close()
}

// startWorkers returns, on an error, too, the workers that it has started.
func startWorkers(j job, n int) (workers []*worker, err error) {
	for range n {
		w, err := startWorker(j)
		if err != nil {
			return workers, err
		}
		workers = append(workers, w)
	}
	return workers, nil
}

func stopWorkers(workers []*worker) error {
	var errs []error
	for _, w := range workers {
		_ = w.stdin.Close() // all at once, then one by one
	}
	for _, w := range workers {
		errs = append(errs, w.stop())
	}
	return errors.Join(errs...)
}
