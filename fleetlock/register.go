package fleetlock

// A store is where a lock's record is, with what the place can tell about holders and
// changes. Its errors are those of the place; it never takes one for an answer.
type store interface {
	register
	liveness
	notifier
}

// A register is one record that many processes read and replace.
type register interface {
	// load returns the record as it is.
	load() (snapshot, error)

	// swap puts next in the place of the version seen and returns what the register
	// then holds. If it no longer holds seen, it returns errChanged; if another process
	// is in the middle of a swap, errContended. A holder whose token next grants is
	// alive from then on, one whose token next ends is not. A register where the dead
	// hold nothing may leave the record of a hold that next ends as it is.
	swap(seen version, next record) (snapshot, error)

	// verify returns errMoved if the lock's name leads elsewhere by now.
	verify() error
}

// An heir is a register that finds out in one step whether holders live and, if none
// does, swaps.
type heir interface {
	// inherit is a swap that grants, if nobody lives to whom the lock was granted. If
	// somebody does it returns errContended.
	inherit(seen version, next record) (snapshot, error)
}

// A liveness tells whether holders live. A store that cannot know says that they do.
type liveness interface {
	alive(token uint64) (bool, error)

	// abandon ends the life of a token that this process was granted, if it has not
	// ended, and reports whether that frees the lock for others, whatever the record
	// says.
	abandon(token uint64) bool
}

// A notifier tells when it is worth while to load again.
type notifier interface {
	// listen starts to note changes.
	listen() (*listener, error)
}
