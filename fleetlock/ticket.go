package fleetlock

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Ticket has a lock that no process holds: text to hand to the process that shall
// hold it next, as by its environment or a pipe. Whoever knows the ticket can resume
// the lock.
type Ticket string

const (
	ticketPrefix = "fleetlock1."
	secretSize   = 16
)

func newTicket(token uint64, secret []byte) Ticket {
	b := binary.BigEndian.AppendUint64(nil, token)
	return Ticket(ticketPrefix + base64.RawURLEncoding.EncodeToString(append(b, secret...)))
}

func (t Ticket) parse() (token uint64, secret []byte, err error) {
	text, ok := strings.CutPrefix(string(t), ticketPrefix)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(b) != 8+secretSize {
		return 0, nil, ErrTicket
	}
	token, secret = binary.BigEndian.Uint64(b), b[8:]
	if newTicket(token, secret) != t { // line ends, or bits behind the end
		return 0, nil, ErrTicket
	}
	return token, secret, nil
}

// Detach gives the lock to a ticket instead of a process, for ttl, at most a year: then the
// lock is free for others, unless it was resumed. The holder's context ends, and
// Release does nothing any more.
//
// On an error the lock is still held, unless the error is a *[LostError] or
// [ErrReleased].
func (h *Held) Detach(ttl time.Duration) (Ticket, error) {
	if ttl <= 0 || ttl > maxLease {
		return "", fmt.Errorf("fleetlock: a ticket for %v, which is not between zero and a year", ttl)
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	if err := h.Err(); err != nil {
		return "", err
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails
	_ = h.leave(true)
	_, err := h.swap(h.store, h.mine.detach(secret, ttl, h.lock.options.clock.now()))
	if err != nil {
		err = h.keep(err)
		_ = h.leave(false)
		return "", err
	}
	h.letGo()
	_ = h.end(ErrReleased)
	return newTicket(h.token, secret), nil
}

// keep makes a holder of one that could not detach, and returns why it could not.
func (h *Held) keep(err error) error {
	var lost *LostError
	if errors.As(err, &lost) {
		return h.end(lost)
	}
	// The record may have been written before something else failed.
	seen, loadErr := h.store.load()
	if loadErr != nil {
		return h.lose("it may be detached", errors.Join(err, loadErr))
	}
	if seen.state == stateDetached && seen.token == h.token {
		h.seen = seen.version
		if _, swapErr := h.swap(h.store, h.mine); swapErr != nil {
			return h.lose("it is detached, and nobody has the ticket", errors.Join(err, swapErr))
		}
	}
	if h.lapsed() { // while that was tried
		return h.lose("its lease ran out", err)
	}
	return h.lock.failure(err)
}

// Resume makes this process the holder of a detached lock, under a new token. The
// error is a *[LostError] if the ticket does not have the lock any more, and
// [ErrTicket] if it is none. After an error of the disk the ticket may be used up.
func (l *Lock) Resume(ctx context.Context, t Ticket) (*Held, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	token, secret, err := t.parse()
	if err != nil {
		return nil, l.failure(err)
	}
	resume := func(s store) (version, record, time.Duration, error) {
		seen, err := s.load()
		if err != nil {
			return seen.version, record{}, 0, l.failure(err)
		}
		now := l.options.clock.now()
		is, err := judge(seen, s.alive, now)
		if err != nil {
			return seen.version, record{}, 0, l.failure(err)
		}
		if reason := seen.refusal(is.State, token, secret); reason != "" {
			return seen.version, record{}, 0, &LostError{Path: l.path, Token: token, Reason: reason}
		}
		return seen.version, seen.grant(l.identity(), l.options.lease, now), 0, nil
	}
	var h *Held
	err = l.insist(ctx, func(s store) error {
		h, _, err = l.attempt(of(token, s), resume)
		return err
	})
	return h, err
}

// refusal says why a ticket does not have the lock; it is empty if it has.
func (s snapshot) refusal(now State, token uint64, secret []byte) string {
	switch {
	case s.token != token || s.state != stateDetached:
		return s.lossOf(token)
	case now != StateDetached:
		return "the ticket ran out"
	case !s.admits(secret):
		return "the secret of the ticket is wrong"
	}
	return ""
}
