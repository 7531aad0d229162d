package fleetlockhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// slots are those of a group that are taken, as the register keeps them.
type slots struct {
	Format  int      `json:"fleetlockhttp"` // the version of this form
	Holders []holder `json:"holders"`
}

type holder struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
}

const slotsFormat = 1

// errDamaged says that the record is not one of slots: nobody is given one.
var errDamaged = errors.New("the record of the slots is damaged")

func (s slots) encode() string {
	s.Format = slotsFormat
	var text strings.Builder
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false) // which makes six bytes of one
	_ = to.Encode(s)        // strings and times, which never fail
	return strings.TrimSuffix(text.String(), "\n")
}

func decodeSlots(r fleetlock.Record) (s slots, err error) {
	if r.Version == 0 {
		return slots{}, nil
	}
	if err := json.Unmarshal([]byte(r.Text), &s); err != nil {
		return slots{}, err
	}
	if s.Format != slotsFormat {
		return slots{}, fmt.Errorf("its form is %d", s.Format)
	}
	return s, nil
}

func (s *slots) index(id string) int {
	return slices.IndexFunc(s.Holders, func(h holder) bool { return h.ID == id })
}

func (s *slots) has(id string) bool { return s.index(id) >= 0 }

func (s *slots) add(id string, now time.Time) {
	s.Holders = append(s.Holders, holder{id, now.UTC()})
}

// remove reports whether there was something to remove.
func (s *slots) remove(id string) bool {
	i := s.index(id)
	if i >= 0 {
		s.Holders = slices.Delete(s.Holders, i, i+1)
	}
	return i >= 0
}
