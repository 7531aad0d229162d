package cursor_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAKeyIsRotatedInThreeSteps(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			ring := newKeyring(t, key(1))
			c, b := newCodec(t, cursor.Config{Form: form.form, Keys: ring}), tasks(t).Bind(query())
			ahead := newCodec(t, cursor.Config{Form: form.form, Keys: newKeyring(t, key(2), key(1))})
			oldToken, newToken := encode(t, c, b, position()), encode(t, ahead, b, position())
			mustRefuse(t, c, b, newToken, cursor.ErrUnknownKey)

			must(t, ring.Accept(key(2)))
			mustOpen(t, c, b, newToken, position()) // made by a process that is a step ahead
			mustOpen(t, c, b, oldToken, position())
			if got := encode(t, c, b, position()); got != oldToken {
				t.Errorf("a key that is only accepted makes tokens: %q, before %q", got, oldToken)
			}

			must(t, ring.Promote(key(2)))
			mustOpen(t, c, b, oldToken, position())
			if got := encode(t, c, b, position()); got != newToken {
				t.Errorf("the promoted key makes %q, not %q", got, newToken)
			}

			must(t, ring.Retire(key(1)))
			mustRefuse(t, c, b, oldToken, cursor.ErrUnknownKey)
			mustOpen(t, c, b, newToken, position())
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("a step that should succeed fails: %v", err)
	}
}

func TestAKeyThatWasRetiredCanBeAcceptedAgain(t *testing.T) {
	ring := newKeyring(t, key(1), key(2))
	c, b := newCodec(t, cursor.Config{Keys: ring}), tasks(t).Bind(query())
	token := encode(t, newCodec(t, cursor.Config{Keys: newKeyring(t, key(2))}), b, position())
	must(t, ring.Retire(key(2)))
	mustRefuse(t, c, b, token, cursor.ErrUnknownKey)
	must(t, ring.Accept(key(2)))
	mustOpen(t, c, b, token, position())
}

func TestAStepOutOfOrderIsRefusedAndChangesNothing(t *testing.T) {
	cases := []struct {
		name string
		step func(*cursor.Keyring) error
	}{
		{"accepting the primary key", func(r *cursor.Keyring) error { return r.Accept(key(1)) }},
		{"accepting a key twice", func(r *cursor.Keyring) error { return r.Accept(key(2)) }},
		{"accepting a short key", func(r *cursor.Keyring) error { return r.Accept(key(3)[:31]) }},
		{"accepting no key", func(r *cursor.Keyring) error { return r.Accept(nil) }},
		{"promoting a key before it was accepted", func(r *cursor.Keyring) error { return r.Promote(key(3)) }},
		{"promoting a short key", func(r *cursor.Keyring) error { return r.Promote(key(2)[:31]) }},
		{"retiring the primary key", func(r *cursor.Keyring) error { return r.Retire(key(1)) }},
		{"retiring an unknown key", func(r *cursor.Keyring) error { return r.Retire(key(3)) }},
		{"retiring a short key", func(r *cursor.Keyring) error { return r.Retire(key(2)[:31]) }},
	}
	b := tasks(t).Bind(query())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ring := newKeyring(t, key(1), key(2))
			codec := newCodec(t, cursor.Config{Keys: ring})
			before := encode(t, codec, b, position())
			if err := c.step(ring); err == nil {
				t.Errorf("%s succeeds", c.name)
			}
			if after := encode(t, codec, b, position()); after != before {
				t.Errorf("after the refused step the token is %q, before %q", after, before)
			}
			second := newCodec(t, cursor.Config{Keys: newKeyring(t, key(2))})
			mustOpen(t, codec, b, encode(t, second, b, position()), position())
		})
	}
}

func TestPromotingThePrimaryKeyChangesNothing(t *testing.T) {
	ring := newKeyring(t, key(1), key(2))
	c, b := newCodec(t, cursor.Config{Keys: ring}), tasks(t).Bind(query())
	before := encode(t, c, b, position())
	must(t, ring.Promote(key(1)))
	if after := encode(t, c, b, position()); after != before {
		t.Errorf("the token is %q, before %q", after, before)
	}
}

func TestAnImpossibleRingIsRefused(t *testing.T) {
	cases := []struct {
		name     string
		primary  []byte
		accepted [][]byte
	}{
		{"no key", nil, nil},
		{"a short primary key", key(1)[:31], nil},
		{"a short accepted key", key(1), [][]byte{key(2)[:31]}},
		{"the primary key again", key(1), [][]byte{key(1)}},
		{"an accepted key twice", key(1), [][]byte{key(2), key(2)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if r, err := cursor.NewKeyring(c.primary, c.accepted...); err == nil || r != nil {
				t.Errorf("NewKeyring returns %v, %v", r, err)
			}
		})
	}
}

func TestTheZeroRingTakesItsFirstKeyInTwoSteps(t *testing.T) {
	var ring cursor.Keyring
	must(t, ring.Accept(key(1)))
	if c, err := cursor.New(cursor.Config{Keys: &ring}); err == nil {
		t.Errorf("a ring without a primary key makes the codec %v", c)
	}
	must(t, ring.Promote(key(1)))
	c, b := newCodec(t, cursor.Config{Keys: &ring}), tasks(t).Bind(query())
	mustOpen(t, c, b, encode(t, c, b, position()), position())
}

func TestARingDoesNotKeepTheCallersBytes(t *testing.T) {
	secret := key(1)
	ring := newKeyring(t, secret)
	c, b := newCodec(t, cursor.Config{Keys: ring}), tasks(t).Bind(query())
	before := encode(t, c, b, position())
	clear(secret)
	if after := encode(t, c, b, position()); after != before {
		t.Errorf("after the caller erased the key the token is %q, before %q", after, before)
	}
}

func TestAKeyMayBeLongerThanItMust(t *testing.T) {
	long, cut := make([]byte, 100), make([]byte, 99)
	ring := newKeyring(t, long, cut)
	c, b := newCodec(t, cursor.Config{Keys: ring}), tasks(t).Bind(query())
	shorter := newCodec(t, cursor.Config{Keys: newKeyring(t, key(0))})
	mustRefuse(t, c, b, encode(t, shorter, b, position()), cursor.ErrUnknownKey)
	mustOpen(t, c, b, encode(t, c, b, position()), position())
}

// The two keys were found by trying; one pair in four billion is such a pair.
func TestKeysThatShareAnIDAreNotTakenForEachOther(t *testing.T) {
	one, two := make([]byte, 32), make([]byte, 32)
	binary.BigEndian.PutUint32(one[28:], 39746)
	binary.BigEndian.PutUint32(two[28:], 53966)
	b := tasks(t).Bind(query())
	a, z := newCodec(t, cursor.Config{Keys: newKeyring(t, one)}), newCodec(t, cursor.Config{Keys: newKeyring(t, two)})
	mustRefuse(t, a, b, encode(t, z, b, position()), cursor.ErrForged)

	ring := newKeyring(t, key(1), one)
	for name, step := range map[string]func([]byte) error{"accept": ring.Accept, "promote": ring.Promote, "retire": ring.Retire} {
		if err := step(two); err == nil {
			t.Errorf("the ring can %s a key for another one with the same id", name)
		}
	}
	if r, err := cursor.NewKeyring(one, two); err == nil {
		t.Errorf("two keys with the same id make the ring %v", r)
	}
}

func TestPrintingARingShowsNoKey(t *testing.T) {
	canary := []byte("canary-canary-canary-canary-canary")
	ring := newKeyring(t, canary)
	c := newCodec(t, cursor.Config{Keys: ring})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, thing := range []any{ring, c, cursor.Config{Keys: ring}} {
			if text := fmt.Sprintf(format, thing); strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T shows the key: %s", format, thing, text)
			}
		}
	}
	if _, err := cursor.NewKeyring(canary, canary); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error of a repeated key shows it: %v", err)
	}
}

// One goroutine rotates through many keys, while others make and read tokens:
//
//	P (rotation)                 Q (each reader)
//	accept n, promote n          encode with n-1 or n
//	retire n-1                   decode: opens, or the key is unknown by now
//
// A token of the key that always stays in the ring opens at any time.
func TestARingIsRotatedWhileCodecsUseIt(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			ring := newKeyring(t, key(1), key(200))
			c, b := newCodec(t, cursor.Config{Form: form.form, Keys: ring}), tasks(t).Bind(query())
			lasting := encode(t, newCodec(t, cursor.Config{Form: form.form, Keys: newKeyring(t, key(200))}), b, position())
			done := make(chan struct{})
			var readers sync.WaitGroup
			defer readers.Wait()
			defer close(done)
			for range 4 {
				readers.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
							checkWhileRotating(t, c, b, lasting)
						}
					}
				})
			}
			for n := byte(2); n < 100; n++ {
				must(t, ring.Accept(key(n)))
				must(t, ring.Promote(key(n)))
				must(t, ring.Retire(key(n-1)))
			}
		})
	}
}

func checkWhileRotating(t *testing.T, c *cursor.Codec, b cursor.Binding, lasting string) {
	mustOpen(t, c, b, lasting, position())
	token, err := c.Encode(b, position())
	if err != nil {
		t.Errorf("no token while the ring is rotated: %v", err)
	}
	if _, err := c.Decode(b, token); err != nil && !errors.Is(err, cursor.ErrUnknownKey) {
		t.Errorf("a fresh token is refused while the ring is rotated: %v", err)
	}
}

func TestOfManyThatAcceptOneKeyAtOnceOnlyOneSucceeds(t *testing.T) {
	ring := newKeyring(t, key(1))
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = ring.Accept(key(2)) })
	}
	all.Wait()
	accepted := 0
	for _, err := range errs {
		if err == nil {
			accepted++
		}
	}
	if accepted != 1 {
		t.Errorf("%d of %d calls accepted the same key", accepted, len(errs))
	}
}

// Every step reads the ring and stores another one. Without a lock between
//
//	P (accepts)          Q (promotes)
//	                     reads the ring
//	accepts n
//	                     stores the ring that it read, with another primary
//
// key n would be lost.
func TestNoStepIsLostBesideAnother(t *testing.T) {
	ring := newKeyring(t, key(1), key(2))
	done := make(chan struct{})
	var promoting sync.WaitGroup
	promoting.Go(func() {
		for n := byte(0); ; n++ {
			select {
			case <-done:
				return
			default:
				if err := ring.Promote(key(1 + n%2)); err != nil {
					t.Errorf("a key that is never retired cannot be promoted: %v", err)
				}
			}
		}
	})
	for n := byte(3); n < 250; n++ {
		if err := ring.Accept(key(n)); err != nil {
			t.Errorf("key %d is not accepted: %v", n, err)
		}
	}
	close(done)
	promoting.Wait()
	for n := byte(3); n < 250; n++ {
		if err := ring.Retire(key(n)); err != nil {
			t.Errorf("key %d was accepted, but cannot be retired: %v", n, err)
		}
	}
}
