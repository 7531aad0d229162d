package cursor_test

import (
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// clock is a time that tests set.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func TestATokenIsAcceptedUntilExactlyItsTTL(t *testing.T) {
	const ttl = 90 * time.Second
	cases := []struct {
		name  string
		after time.Duration
		want  error
	}{
		{"at once", 0, nil},
		{"a microsecond before", ttl - time.Microsecond, nil},
		{"a nanosecond before", ttl - time.Nanosecond, nil},
		{"at the boundary", ttl, cursor.ErrExpired},
		{"a nanosecond after", ttl + time.Nanosecond, cursor.ErrExpired},
		{"a year after", 365 * 24 * time.Hour, cursor.ErrExpired},
		{"when the clock was set back", -time.Hour, nil},
	}
	for _, form := range forms {
		for _, moment := range cases {
			t.Run(form.name+", "+moment.name, func(t *testing.T) {
				now := &clock{noon}
				c := newCodec(t, cursor.Config{Form: form.form, TTL: ttl, Now: now.read})
				b := tasks(t).Bind(query())
				token := encode(t, c, b, position())
				now.now = noon.Add(moment.after)
				if moment.want == nil {
					mustOpen(t, c, b, token, position())
				} else {
					mustRefuse(t, c, b, token, moment.want)
				}
			})
		}
	}
}

func TestNanosecondsOfTheClockNeverMakeATokenLiveLonger(t *testing.T) {
	now := &clock{noon.Add(999)}
	c, b := newCodec(t, cursor.Config{TTL: time.Second, Now: now.read}), tasks(t).Bind(query())
	token := encode(t, c, b, position())
	now.now = noon.Add(time.Second - 1)
	mustOpen(t, c, b, token, position())
	now.now = noon.Add(time.Second)
	mustRefuse(t, c, b, token, cursor.ErrExpired)
}

// What counts is the expiry that a token carries; a codec with a TTL demands
// that there is one.
func TestTTLsOfMakerAndReader(t *testing.T) {
	cases := []struct {
		name          string
		maker, reader time.Duration
		after         time.Duration
		want          error
	}{
		{"neither has one", 0, 0, 1000 * time.Hour, nil},
		{"only the reader", 0, time.Hour, 0, cursor.ErrExpired},
		{"only the maker, in time", time.Hour, 0, time.Minute, nil},
		{"only the maker, too late", time.Hour, 0, time.Hour, cursor.ErrExpired},
		{"the reader's is shorter", time.Hour, time.Minute, 30 * time.Minute, nil},
		{"the reader's is longer", time.Minute, time.Hour, 30 * time.Minute, cursor.ErrExpired},
	}
	for _, form := range forms {
		for _, c := range cases {
			t.Run(form.name+", "+c.name, func(t *testing.T) {
				now := &clock{noon}
				maker := newCodec(t, cursor.Config{Form: form.form, TTL: c.maker, Now: now.read})
				reader := newCodec(t, cursor.Config{Form: form.form, TTL: c.reader, Now: now.read})
				b := tasks(t).Bind(query())
				token := encode(t, maker, b, position())
				now.now = noon.Add(c.after)
				if c.want == nil {
					mustOpen(t, reader, b, token, position())
				} else {
					mustRefuse(t, reader, b, token, c.want)
				}
			})
		}
	}
}

func TestWithATTLTheSameMomentGivesTheSameToken(t *testing.T) {
	now := &clock{noon}
	c, b := newCodec(t, cursor.Config{TTL: time.Hour, Now: now.read}), tasks(t).Bind(query())
	one, two := encode(t, c, b, position()), encode(t, c, b, position())
	if one != two {
		t.Errorf("at one moment a position has the tokens %q and %q", one, two)
	}
	now.now = noon.Add(time.Microsecond)
	if later := encode(t, c, b, position()); later == one {
		t.Error("a token does not change with its expiry")
	}
}

func TestAnExpiryThatCannotBeWrittenIsUnencodable(t *testing.T) {
	b := tasks(t).Bind(query())
	for _, moment := range []time.Time{lastInstant, firstInstant.Add(-2 * time.Hour)} {
		now := &clock{moment}
		c := newCodec(t, cursor.Config{TTL: time.Hour, Now: now.read})
		mustNotEncode(t, c, b, position())
	}
}

func TestWithoutATTLTheClockIsNotAsked(t *testing.T) {
	now := func() time.Time { t.Error("the clock is asked"); return noon }
	c, b := newCodec(t, cursor.Config{Now: now}), tasks(t).Bind(query())
	mustOpen(t, c, b, encode(t, c, b, position()), position())
}

func TestTheClockDefaultsToTheSystems(t *testing.T) {
	c, b := newCodec(t, cursor.Config{TTL: time.Hour}), tasks(t).Bind(query())
	mustOpen(t, c, b, encode(t, c, b, position()), position())
	past := &clock{time.Now().Add(-2 * time.Hour)}
	stale := newCodec(t, cursor.Config{TTL: time.Hour, Now: past.read})
	mustRefuse(t, c, b, encode(t, stale, b, position()), cursor.ErrExpired)
}
