package fleetlock

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"sync"
)

// rolls keep the record of each name in a file of its own, so that the suite of laws can
// be tried on them.
type rolls struct {
	dir string

	mu    sync.Mutex
	books map[string]*roll
}

// NewRolls returns the register of a directory, as a process of its own would see it.
func NewRolls(dir string) Register {
	return &rolls{dir: dir, books: make(map[string]*roll)}
}

func (r *rolls) book(name string) *roll {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.books[name] == nil {
		o, _ := collect([]Option{Slots(2), NoSync()}) // they are good
		r.books[name] = &roll{path: filepath.Join(r.dir, hex.EncodeToString([]byte(name))), options: o}
	}
	return r.books[name]
}

func (r *rolls) Load(ctx context.Context, name string) (Record, error) {
	book := r.book(name)
	// As File does: to make the file takes the disk's time, and no holder's.
	if _, err := book.current(true); err != nil {
		return Record{}, err
	}
	return book.Load(ctx, name)
}

func (r *rolls) Swap(ctx context.Context, name string, seen uint64, next Record) (uint64, error) {
	return r.book(name).Swap(ctx, name, seen, next)
}

func (r *rolls) Watch(ctx context.Context, name string, changed func()) error {
	return r.book(name).Watch(ctx, name, changed)
}
