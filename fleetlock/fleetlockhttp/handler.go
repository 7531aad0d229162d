// Package fleetlockhttp serves the FleetLock protocol, by which Zincati has the nodes of a
// Fedora CoreOS fleet reboot a few at a time, over any register of package fleetlock. It
// stands where airlock would, but next to whatever keeps the fleet's other locks.
//
//	handler, err := fleetlockhttp.New(fleetlockhttp.Config{
//		Register: register,
//		Groups:   map[string]int{"default": 1, "workers": 3},
//	})
//	if err != nil {
//		return err
//	}
//	http.Handle("/fleet/", http.StripPrefix("/fleet", handler))
//
// A node takes a slot of its group before it reboots and gives it back when it runs well
// again. No more nodes of a group have a slot at once than it has slots, however many
// processes serve it, and a node that asks again has the slot that it had.
//
// # Limits
//
// A node gives no sign of life while it reboots, so a slot has no lease: a node that does
// not come back keeps its slot, and the others of its group wait, until an operator gives
// the slot back in its name:
//
//	curl -H 'fleet-lock-protocol: true' -d '{"client_params":{"id":"ID","group":"GROUP"}}' URL/v1/steady-state
//
// The protocol has no authentication: anyone who reaches the handler can take and give
// slots in anyone's name. Let only the fleet reach it.
//
// Source: https://coreos.github.io/zincati/development/fleetlock/protocol/
package fleetlockhttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// Config says what is served.
type Config struct {
	// Register keeps who has the slots, under the name "reboot/" and the group.
	// Required.
	Register fleetlock.Register

	// Groups are those that are served, with the number of their slots, 1 to 200: how
	// many of its nodes may be down at once. Defaults to one slot for the group
	// "default", which is Zincati's own default.
	Groups map[string]int

	// Log is told why the register failed, which clients are not, at slog.LevelError; and
	// at slog.LevelInfo of clients that left before it answered. Defaults to none.
	Log *slog.Logger
}

// maxSlots keeps a record below the 64 KiB that a register must be able to hold: a holder
// whose ID is all quotes has 307 bytes.
const maxSlots = 200

// The form of groups is the protocol's; their length and that of an ID is ours.
var (
	groupForm = regexp.MustCompile(`^[a-zA-Z0-9.-]{1,128}$`)
	idForm    = regexp.MustCompile(`^[[:graph:]]{1,128}$`)
)

// patience is how long a request may take.
const patience = 10 * time.Second

type handler struct {
	register fleetlock.Register
	groups   map[string]int
	log      *slog.Logger
}

// New returns the handler. It serves /v1/pre-reboot and /v1/steady-state, and may run in
// several processes over one register.
func New(cfg Config) (http.Handler, error) {
	h := &handler{register: cfg.Register, groups: map[string]int{"default": 1}, log: cfg.Log}
	if h.register == nil {
		return nil, errors.New("fleetlockhttp: Config.Register is required")
	}
	if len(cfg.Groups) > 0 {
		h.groups = make(map[string]int, len(cfg.Groups))
	}
	for group, slots := range cfg.Groups {
		switch {
		case !groupForm.MatchString(group):
			return nil, fmt.Errorf("fleetlockhttp: %q is no name of a group", group)
		case slots < 1 || slots > maxSlots:
			return nil, fmt.Errorf("fleetlockhttp: the group %q has %d slots, which is not 1 to %d", group, slots, maxSlots)
		}
		h.groups[group] = slots
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := h.serve(r); err != nil {
		var refused refusal
		if !errors.As(err, &refused) {
			h.report(r.Context(), err)
			refused = unavailable
		}
		refused.write(w)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// report logs why a request came to nothing, which may be that the client hung up. A time
// limit of the server's own, such as http.TimeoutHandler's, is no such thing.
func (h *handler) report(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		h.log.InfoContext(ctx, "fleetlockhttp: the client left before the register answered", "err", err)
		return
	}
	h.log.ErrorContext(ctx, "fleetlockhttp: the register failed", "err", err)
}

func (h *handler) serve(r *http.Request) error {
	var turn func(context.Context, client) error
	switch r.URL.Path {
	case "/v1/pre-reboot":
		turn = h.lock
	case "/v1/steady-state":
		turn = h.unlock
	default:
		return unknownPath
	}
	c, err := readClient(r)
	if err != nil {
		return err
	}
	if _, ok := h.groups[c.group]; !ok {
		return unknownGroup
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	return turn(ctx, c)
}

// lock gives a client a slot, unless it has one.
func (h *handler) lock(ctx context.Context, c client) error {
	return h.change(ctx, c.group, func(s *slots) (bool, error) {
		switch {
		case s.has(c.id):
			return false, nil
		case len(s.Holders) >= h.groups[c.group]:
			return false, full
		}
		s.add(c.id, time.Now())
		return true, nil
	})
}

// unlock takes a client's slot back, if it has one.
func (h *handler) unlock(ctx context.Context, c client) error {
	return h.change(ctx, c.group, func(s *slots) (bool, error) { return s.remove(c.id), nil })
}

// change edits the slots of a group until that was the newest record. A swap that may or
// may not have been made is looked for in the record by the edit itself, which finds
// nothing left to do.
func (h *handler) change(ctx context.Context, group string, edit func(*slots) (bool, error)) error {
	name := "reboot/" + group
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second/4) {
		err := func() error {
			got, err := h.register.Load(ctx, name)
			if err != nil {
				return err
			}
			s, err := decodeSlots(got)
			if err != nil {
				return errors.Join(errDamaged, err)
			}
			if changed, err := edit(&s); err != nil || !changed {
				return err
			}
			_, err = h.register.Swap(ctx, name, got.Version, fleetlock.Record{Token: got.Token, Text: s.encode()})
			return err
		}()
		if err == nil || errors.Is(err, errDamaged) || errors.As(err, new(refusal)) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}
