package fleetlock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A roll is the Register of a lock with Slots in a file: of one record, whatever its
// name. Its terms are over when their time is, by the machine's clock, and before that
// when the process is dead that named them first, unless they are those of a ticket.
type roll struct {
	path    string
	options options
	reads   bool // only

	mu   sync.Mutex
	file *rollFile // as long as the path leads to it
}

// fileSlots is the lock of several holders in a file.
func fileSlots(l *Lock) {
	l.open = func() (store, error) {
		book := &roll{path: l.path, options: l.options}
		if _, err := book.current(true); err != nil {
			return nil, err
		}
		return book.remote().view(context.Background()), nil
	}
	l.look = func(ctx context.Context) (viewer, error) {
		book := &roll{path: l.path, options: l.options, reads: true}
		if _, err := book.current(false); err != nil {
			return nil, err
		}
		return rollView{&inspection{view: book.remote().view(ctx)}, book}, nil
	}
}

func (r *roll) remote() *remote {
	o := r.options
	return &remote{register: r, name: r.path, slots: o.slots, lease: o.lease, clock: o.clock}
}

// A rollView is an inspection with a file of its own.
type rollView struct {
	*inspection
	book *roll
}

func (v rollView) close() { closeFile(v.book.file.file) }

// current returns the file that the path leads to, which may have to be made.
func (r *roll) current(create bool) (*rollFile, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		err := r.file.verify()
		if err == nil {
			return r.file, nil
		}
		if !errors.Is(err, errMoved) || r.reads {
			return nil, err
		}
		r.file = nil
	}
	s, err := r.openSession(create)
	if err != nil {
		return nil, err
	}
	f := newRollFile(s, r.options.clock)
	r.file = f
	return f, nil
}

func (r *roll) openSession(create bool) (*session, error) {
	switch {
	case r.reads:
		return openExisting(r.path, r.options, os.O_RDONLY)
	case create:
		return openSession(r.path, r.options)
	}
	return openAttached(r.path, r.options)
}

// Load implements [Register].
func (r *roll) Load(ctx context.Context, _ string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	f, err := r.current(false)
	if absent(err) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, err
	}
	return f.load(ctx)
}

// absent reports whether there is no file to be opened.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errMoved) }

// Swap implements [Register].
func (r *roll) Swap(ctx context.Context, _ string, seen uint64, next Record) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	f, err := r.current(seen == 0)
	if absent(err) && seen != 0 {
		return 0, ErrChanged
	}
	if err != nil {
		return 0, err
	}
	version, err := f.swap(ctx, seen, next)
	if err == nil && errors.Is(f.verify(), errMoved) {
		return 0, ErrChanged // what was written is not the record any more
	}
	return version, err
}

// Watch implements [Register]. When a process dies, the kernel tells that its files are
// closed before it drops their locks: so what is told once is told again, with pauses
// that grow.
func (r *roll) Watch(ctx context.Context, _ string, changed func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := r.current(true)
	if err != nil {
		return err
	}
	heard, err := f.listen()
	if err != nil {
		return err
	}
	defer heard.stop()
	for pause := firstPause; ; pause = pause.next() {
		if !heard.parked {
			if err := heard.park(); err != nil {
				return err
			}
			if !heard.parked {
				pause = min(pause, parkAgain)
			}
		}
		if err := f.verify(); err != nil {
			return err
		}
		changed()
		if err := heard.sleep(ctx, f.clock, time.Duration(pause)); err != nil {
			return err
		}
		if heard.told {
			heard.told, pause = false, parkPause
		}
	}
}

// abandon ends a term of this process, whatever the record says.
func (r *roll) abandon(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		r.file.abandon(id)
	}
}

// disown ends the term of a holder whose grant, by the record of a text, failed.
func (r *roll) disown(token uint64, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.file.doubts(text) {
		r.file.abandon(holderTerm(token))
	}
}

// mend makes a file of the lock of one that is damaged.
func (r *roll) mend(ctx context.Context) error {
	f, err := r.current(false)
	if err != nil {
		return err
	}
	return f.mend(ctx)
}
