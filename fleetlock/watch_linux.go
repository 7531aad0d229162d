//go:build !fleetlock_posix

package fleetlock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What may have changed a lock for those who do not change it themselves. Writes alone
// are not among it, and rings only for those who listen: who uses a lock that nobody
// waits for must not pay for the watch, nor who hands the lock over be woken by its own
// ring.
const (
	quietEvents  = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	listenEvents = quietEvents |
		unix.IN_ATTRIB | // a ring, or the file was unlinked
		unix.IN_CLOSE_WRITE // a process has died, or closed the file
)

// A watcher passes the events of one inotify descriptor on to subjects. A process has
// one: the kernel allows a user few of them, and takes milliseconds to close one.
type watcher struct {
	file   *os.File
	fd     int // of file, which keeps its own to itself
	raw    syscall.RawConn
	news   *news
	buffer [4096]byte // of who fetches

	mu      sync.Mutex
	watched map[int32]*watched // by watch descriptor
	ears    int                // listeners to all of them
}

// A watched is a file or directory that subjects want to know about.
type watched struct {
	loud     bool // whether the kernel tells what listeners want to know
	subjects []*attention
}

// An attention is what one subject wants to know.
type attention struct {
	subject   *subject
	file      *os.File // opened by the subject's session; nil for a directory
	listeners int
}

// heard reports whether anybody listens.
func (d *watched) heard() bool {
	return slices.ContainsFunc(d.subjects, func(a *attention) bool { return a.listeners > 0 })
}

// attention returns nil if the subject is none of the watched any more.
func (d *watched) attention(s *subject) *attention {
	if d == nil {
		return nil // the kernel has removed the watch of a file that is gone
	}
	if i := slices.IndexFunc(d.subjects, func(a *attention) bool { return a.subject == s }); i >= 0 {
		return d.subjects[i]
	}
	return nil
}

// theWatcher is nil until the first one could be made.
var theWatcher struct {
	sync.Mutex
	*watcher
}

func sharedWatcher() (*watcher, error) {
	theWatcher.Lock()
	defer theWatcher.Unlock()
	if theWatcher.watcher == nil {
		fd, err := openInotify()
		if err != nil {
			return nil, fmt.Errorf("watching files: %w", err)
		}
		if theWatcher.watcher, err = newWatcher(fd); err != nil {
			return nil, fmt.Errorf("watching files: %w", err)
		}
	}
	return theWatcher.watcher, nil
}

func newWatcher(fd int) (*watcher, error) {
	w := &watcher{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, watched: make(map[int32]*watched)}
	raw, err := w.file.SyscallConn()
	if err := errors.Join(err, w.file.SetReadDeadline(time.Time{})); err != nil { // Go's poller has not taken it
		w.file.Close()
		return nil, err
	}
	w.raw = raw
	w.news = &news{
		turn:  make(chan struct{}, 1),
		drain: w.drain,
		fetch: w.fetch,
		hurry: func() { _ = w.file.SetReadDeadline(time.Unix(0, 0)) },
		calm:  func() { _ = w.file.SetReadDeadline(time.Time{}) },
	}
	return w, nil
}

// openInotify leaves room for the two descriptors that Go's poller opens when it is used
// for the first time: without them the runtime ends the process.
func openInotify() (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return 0, os.NewSyscallError("inotify_init1", err)
	}
	for range 2 {
		spare, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			unix.Close(fd)
			return 0, os.NewSyscallError("fcntl", err)
		}
		defer unix.Close(spare)
	}
	return fd, nil
}

// A watch is what a watcher does for one subject.
type watch struct {
	w               *watcher
	subject         *subject
	file, directory int32 // watch descriptors; directory is -1 if there is none
}

// newWatch has the subject notified when the file, which is at path, is moved or removed,
// or its directory moved, and while it listens also when others ring or die.
func newWatch(path string, f *os.File, s *subject) (*watch, error) {
	w, err := sharedWatcher()
	if err != nil {
		return nil, err
	}
	file, err := w.add(byDescriptor(f), f, s)
	if err != nil {
		return nil, err
	}
	directory, err := w.add(filepath.Dir(path), nil, s)
	switch {
	case errors.Is(err, fs.ErrPermission):
		// Who may use a directory but not read it is not told when it is moved, and
		// finds out by Err alone.
		directory = -1
	case err != nil:
		w.remove(file, s)
		return nil, err
	}
	return &watch{w, s, file, directory}, nil
}

// byDescriptor names the very file, wherever its path leads by now.
func byDescriptor(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// listen counts those who want to be told of rings and deaths. While there are some the
// kernel tells of them; when there are none, it does so until hush.
func (w *watch) listen(more int) error { return w.w.listen(w.file, w.subject, more) }

// hush has the kernel tell no more once nobody listens, and reports whether it still does.
func (w *watch) hush() (loud bool) { return w.w.hush(w.file, w.subject) }

// news is what listeners have to fetch.
func (w *watch) news() *news { return w.w.news }

func (w *watch) stop() {
	w.w.remove(w.file, w.subject)
	w.w.remove(w.directory, w.subject)
}

func (w *watcher) add(path string, f *os.File, s *subject) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Events are added to those that are watched already: another subject may listen.
	id, err := w.control(path, quietEvents|unix.IN_MASK_ADD)
	if err != nil {
		return 0, err
	}
	if w.watched[id] == nil {
		w.watched[id] = new(watched)
	}
	w.watched[id].subjects = append(w.watched[id].subjects, &attention{subject: s, file: f})
	return id, nil
}

func (w *watcher) control(path string, events uint32) (int32, error) {
	id, err := unix.InotifyAddWatch(w.fd, path, events)
	if err != nil {
		return 0, &fs.PathError{Op: "inotify_add_watch", Path: path, Err: err}
	}
	return int32(id), nil
}

func (w *watcher) listen(id int32, s *subject, more int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.watched[id]
	a := d.attention(s)
	if a == nil {
		s.notify() // the file is gone, which is news enough
		return nil
	}
	a.listeners += more
	w.ears += more
	if d.loud || a.listeners == 0 {
		return nil
	}
	if _, err := w.control(byDescriptor(a.file), listenEvents); err != nil {
		a.listeners -= more
		w.ears -= more
		return err
	}
	d.loud = true
	return nil
}

func (w *watcher) hush(id int32, s *subject) (loud bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.watched[id]
	a := d.attention(s)
	if a == nil {
		return false
	}
	if d.loud && !d.heard() {
		_, err := w.control(byDescriptor(a.file), quietEvents)
		d.loud = err != nil
	}
	return d.loud
}

func (w *watcher) remove(id int32, s *subject) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.watched[id]
	a := d.attention(s)
	if a == nil {
		return
	}
	w.ears -= a.listeners
	d.subjects = slices.DeleteFunc(d.subjects, func(has *attention) bool { return has == a })
	if len(d.subjects) == 0 {
		delete(w.watched, id)
		_, _ = unix.InotifyRmWatch(w.fd, uint32(id))
	}
}

// fetch waits for events and passes them on. One listener alone is spared the time that
// takes: it is told by there being some, and they are read when somebody waits again.
func (w *watcher) fetch() (told bool, err error) {
	waited := false
	failed := w.raw.Read(func(uintptr) (done bool) {
		if waited && w.alone() {
			told = true
			return true
		}
		waited = true
		n, readErr := w.readAll()
		err = readErr
		return n > 0 || err != nil
	})
	if failed != nil && !errors.Is(failed, os.ErrDeadlineExceeded) {
		w.notifyAll()
		return false, failed
	}
	return told, err
}

// alone reports whether there is but one listener.
func (w *watcher) alone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ears == 1
}

func (w *watcher) drain() error {
	_, err := w.readAll()
	return err
}

// readAll passes on what events there are, and returns their size. After an error it is
// of no more use: who waits has to look by itself.
func (w *watcher) readAll() (size int, err error) {
	for {
		n, err := unix.Read(w.fd, w.buffer[:])
		switch {
		case err == nil:
			w.dispatch(w.buffer[:n])
			size += n
		case errors.Is(err, unix.EAGAIN):
			return size, nil
		case !errors.Is(err, unix.EINTR):
			w.notifyAll()
			return size, os.NewSyscallError("read", err)
		}
	}
}

// dispatch notifies the subjects of a run of events, struct inotify_event each.
func (w *watcher) dispatch(events []byte) {
	for len(events) >= unix.SizeofInotifyEvent {
		id := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		name := int(binary.NativeEndian.Uint32(events[12:]))
		events = events[min(unix.SizeofInotifyEvent+name, len(events)):]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			w.notifyAll()
			continue
		}
		w.notify(id, mask&unix.IN_IGNORED != 0)
	}
}

func (w *watcher) notify(id int32, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.watched[id]
	if d == nil {
		return
	}
	for _, a := range d.subjects {
		a.subject.notify()
	}
	if gone {
		for _, a := range d.subjects {
			w.ears -= a.listeners
		}
		delete(w.watched, id)
	}
}

func (w *watcher) notifyAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.watched {
		for _, a := range d.subjects {
			a.subject.notify()
		}
	}
}
