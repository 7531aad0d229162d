package grants_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/federation/grants"
)

func TestAPinHasOneText(t *testing.T) {
	t.Parallel()
	for _, p := range []grants.Pin{{}, pin(0xab), pin(0xab).AnyKey()} {
		if got, err := grants.ParsePin(p.String()); err != nil || got != p {
			t.Errorf("%q reads back as %q, %v", p, got, err)
		}
	}
	text := pin(0xab).String()
	for name, changed := range map[string]string{
		"upper case":       strings.ToUpper(text),
		"a digit more":     text + "0",
		"a digit less":     text[1:],
		"no colon":         strings.ReplaceAll(text, ":", ""),
		"no key":           text[:65],
		"no issuer":        text[64:],
		"another colon":    text + ":",
		"a zero key":       text[:65] + strings.Repeat("0", 64),
		"a zero issuer":    strings.Repeat("0", 64) + text[64:],
		"not hexadecimal":  "x" + text[1:],
		"a space":          " " + text,
		"a star and more":  text[:65] + "*0",
		"a star as issuer": "*:" + text[65:],
	} {
		if got, err := grants.ParsePin(changed); !errors.Is(err, grants.ErrInvalid) || got != (grants.Pin{}) {
			t.Errorf("%s: %q reads as %v, %v, want ErrInvalid", name, changed, got, err)
		}
	}
}

func TestAPinFitsItsKeysOnly(t *testing.T) {
	t.Parallel()
	one := pin(1)
	otherKey, otherIssuer := one, one
	otherKey.Key[31]++
	otherIssuer.Issuer[31]++
	for _, test := range []struct {
		name            string
		pinned, present grants.Pin
		want            bool
	}{
		{"the same", one, one, true},
		{"another key", one, otherKey, false},
		{"another issuer", one, otherIssuer, false},
		{"any key, of the issuer", one.AnyKey(), otherKey, true},
		{"any key, of another issuer", one.AnyKey(), otherIssuer, false},
		{"no pin", grants.Pin{}, one, false},
		{"no pin, no certificate", grants.Pin{}, grants.Pin{}, false},
		{"a key without an issuer", grants.Pin{Key: one.Key}, one, false},
		{"no certificate", one, grants.Pin{}, false},
	} {
		for _, g := range []grants.Grant{{Pins: [2]grants.Pin{test.pinned}}, {Pins: [2]grants.Pin{{}, test.pinned}}} {
			if got := g.Fits(test.present); got != test.want {
				t.Errorf("%s: the pin %q fits %q: %t", test.name, test.pinned, test.present, got)
			}
		}
	}
	if got := grants.PinOf(nil); !got.IsZero() {
		t.Errorf("no chain has the pin %v", got)
	}
}
