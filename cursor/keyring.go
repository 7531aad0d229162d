package cursor

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Keyring holds the keys of signed and sealed tokens: the primary key, which
// makes tokens, and the accepted keys, whose tokens are read too.
//
// A key is at least 32 bytes from a cryptographic random source; it is not
// kept, only what is derived from it. Every process that shares tokens holds
// the same keys, and rotates them in three steps, each finished everywhere
// before the next begins:
//
//  1. Accept the new key, so that everybody can read its tokens.
//  2. Promote it, so that new tokens are made with it.
//  3. Retire the old key, once its last token has expired or been used up.
//
// All methods may be called concurrently, also while codecs use the ring:
// readers take no lock. The zero Keyring holds no key: [New] refuses it until
// a key was accepted and promoted. A Keyring must not be copied.
type Keyring struct {
	writers sync.Mutex
	current atomic.Pointer[keys]
}

// keys is one state of a ring, immutable. The primary is among all.
type keys struct {
	primary *secret
	all     []*secret
}

var noKeys keys

// NewKeyring returns a ring of the primary key and of the accepted ones. It
// refuses short keys and a key that is given twice, and under
// GODEBUG=fips140=only any key: that mode allows no nonce but random ones.
func NewKeyring(primary []byte, accepted ...[]byte) (*Keyring, error) {
	r := new(Keyring)
	if err := r.Accept(primary); err != nil {
		return nil, err
	}
	if err := r.Promote(primary); err != nil {
		return nil, err
	}
	for _, key := range accepted {
		if err := r.Accept(key); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Accept adds a key whose tokens are read from now on. It refuses a short key
// and one that the ring holds already.
func (r *Keyring) Accept(key []byte) error {
	added, err := newSecret(key)
	if err != nil {
		return err
	}
	r.writers.Lock()
	defer r.writers.Unlock()
	old := r.keys()
	if known := old.find(added.id()); known != nil {
		if known.fingerprint == added.fingerprint {
			return errors.New("cursor: the ring holds this key already")
		}
		// One in four billion. Tokens of the two could not be told apart.
		return fmt.Errorf("cursor: another key of the ring has the same id %x, make a new key", added.id())
	}
	r.current.Store(&keys{primary: old.primary, all: append(slices.Clip(old.all), added)})
	return nil
}

// Promote makes an accepted key the primary one. The former primary key stays
// accepted. It refuses a key that was not accepted first: other processes
// could not read its tokens. To promote the primary key changes nothing.
func (r *Keyring) Promote(key []byte) error {
	r.writers.Lock()
	defer r.writers.Unlock()
	old := r.keys()
	promoted, err := old.get(key)
	if err != nil {
		return err
	}
	r.current.Store(&keys{primary: promoted, all: old.all})
	return nil
}

// Retire removes an accepted key: its tokens are refused with ErrUnknownKey
// from now on. It refuses the primary key, and a key that the ring does not
// hold.
func (r *Keyring) Retire(key []byte) error {
	r.writers.Lock()
	defer r.writers.Unlock()
	old := r.keys()
	retired, err := old.get(key)
	if err != nil {
		return err
	}
	if retired == old.primary {
		return errors.New("cursor: the primary key cannot be retired, promote another one first")
	}
	rest := slices.DeleteFunc(slices.Clone(old.all), func(s *secret) bool { return s == retired })
	r.current.Store(&keys{primary: old.primary, all: rest})
	return nil
}

func (r *Keyring) keys() *keys {
	if k := r.current.Load(); k != nil {
		return k
	}
	return &noKeys
}

// get returns what the ring holds of a key given by its bytes.
func (k *keys) get(key []byte) (*secret, error) {
	fingerprint, err := keyFingerprint(key)
	if err != nil {
		return nil, err
	}
	for _, s := range k.all {
		if s.fingerprint == fingerprint {
			return s, nil
		}
	}
	return nil, errors.New("cursor: the ring does not hold this key, accept it first")
}

// find returns the key of an id, or nil. A ring holds two or three keys, for
// which a loop is faster than a map.
func (k *keys) find(id []byte) *secret {
	for _, s := range k.all {
		if bytes.Equal(s.id(), id) {
			return s
		}
	}
	return nil
}
