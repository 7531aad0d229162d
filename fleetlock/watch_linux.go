package fleetlock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// What may have changed a lock for those who do not change it themselves. Writes alone
// are not among it: who uses a lock that nobody waits for must not pay for the watch.
const (
	fileEvents = unix.IN_ATTRIB | // a ring, or the file was unlinked
		unix.IN_CLOSE_WRITE | // a process has died, or closed the file
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	directoryEvents = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
)

// A watcher passes the events of one inotify descriptor on to subjects. A process has
// one: the kernel allows a user few of them, and takes milliseconds to close one.
type watcher struct {
	file *os.File
	fd   int // of file, which keeps its own to itself

	mu       sync.Mutex
	subjects map[int32]map[*subject]struct{} // by watch descriptor
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
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return nil, fmt.Errorf("watching files: %w", os.NewSyscallError("inotify_init1", err))
		}
		w := &watcher{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, subjects: make(map[int32]map[*subject]struct{})}
		go w.read()
		theWatcher.watcher = w
	}
	return theWatcher.watcher, nil
}

// watch has the subject notified when the file at path, or the name of its directory,
// changes. The result ends that.
func watch(path string, s *subject) (stop func(), err error) {
	w, err := sharedWatcher()
	if err != nil {
		return nil, err
	}
	file, err := w.add(path, fileEvents|unix.IN_DONT_FOLLOW, s)
	if err != nil {
		return nil, err
	}
	directory, err := w.add(filepath.Dir(path), directoryEvents|unix.IN_ONLYDIR, s)
	if errors.Is(err, fs.ErrPermission) {
		// Who may use a directory but not read it is not told when it is moved, and
		// finds out by Err alone.
		return func() { w.remove(file, s) }, nil
	}
	if err != nil {
		w.remove(file, s)
		return nil, err
	}
	return func() {
		w.remove(file, s)
		w.remove(directory, s)
	}, nil
}

func (w *watcher) add(path string, events uint32, s *subject) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := unix.InotifyAddWatch(w.fd, path, events)
	if err != nil {
		return 0, &fs.PathError{Op: "inotify_add_watch", Path: path, Err: err}
	}
	id := int32(n)
	if w.subjects[id] == nil {
		w.subjects[id] = make(map[*subject]struct{})
	}
	w.subjects[id][s] = struct{}{}
	return id, nil
}

func (w *watcher) remove(id int32, s *subject) {
	w.mu.Lock()
	defer w.mu.Unlock()
	watching := w.subjects[id]
	delete(watching, s)
	if len(watching) == 0 && watching != nil {
		delete(w.subjects, id)
		// The kernel has removed the watch of a file that is gone already.
		_, _ = unix.InotifyRmWatch(w.fd, uint32(id))
	}
}

// read passes events on for as long as the process lives.
func (w *watcher) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := w.file.Read(buffer)
		if err != nil && !errors.Is(err, unix.EINTR) {
			w.notifyAll() // it reads no more; who waits has to look by itself
			return
		}
		w.dispatch(buffer[:n])
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
	for s := range w.subjects[id] {
		s.notify()
	}
	if gone {
		delete(w.subjects, id)
	}
}

func (w *watcher) notifyAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watching := range w.subjects {
		for s := range watching {
			s.notify()
		}
	}
}
