package mtls

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// derStrings are values of extensions, good and bad.
func derStrings() map[string]struct {
	der  []byte
	text string
	good bool
} {
	type value = struct {
		der  []byte
		text string
		good bool
	}
	long := func(n int, length ...byte) []byte {
		return append(append([]byte{0x0c}, length...), strings.Repeat("x", n)...)
	}
	return map[string]value{
		"short":                       {[]byte("\x0c\x01x"), "x", true},
		"empty":                       {[]byte("\x0c\x00"), "", true},
		"the longest short form":      {long(127, 127), strings.Repeat("x", 127), true},
		"the shortest long form":      {long(128, 0x81, 128), strings.Repeat("x", 128), true},
		"one octet of length":         {long(255, 0x81, 255), strings.Repeat("x", 255), true},
		"two octets of length":        {long(256, 0x82, 1, 0), strings.Repeat("x", 256), true},
		"long form where short fits":  {long(127, 0x81, 127), "", false},
		"long form of one":            {[]byte("\x0c\x81\x01x"), "", false},
		"two octets where one fits":   {long(255, 0x82, 0, 255), "", false},
		"two octets where none is":    {[]byte("\x0c\x82\x00\x01x"), "", false},
		"four octets":                 {[]byte("\x0c\x84\x00\x00\x00\x01x"), "", false},
		"five octets":                 {[]byte("\x0c\x85\x00\x00\x00\x00\x01x"), "", false},
		"a length that overflows":     {[]byte("\x0c\x84\xff\xff\xff\xffx"), "", false},
		"eight octets that overflow":  {[]byte("\x0c\x88\xff\xff\xff\xff\xff\xff\xff\xffx"), "", false},
		"indefinite":                  {[]byte("\x0c\x80x\x00\x00"), "", false},
		"reserved":                    {[]byte("\x0c\xffx"), "", false},
		"a byte more":                 {[]byte("\x0c\x01xy"), "", false},
		"a byte less":                 {[]byte("\x0c\x02x"), "", false},
		"two strings":                 {[]byte("\x0c\x01x\x0c\x01y"), "", false},
		"constructed":                 {[]byte("\x2c\x03\x0c\x01x"), "", false},
		"context-specific":            {[]byte("\x8c\x01x"), "", false},
		"PrintableString":             {[]byte("\x13\x01x"), "", false},
		"IA5String":                   {[]byte("\x16\x01x"), "", false},
		"OCTET STRING":                {[]byte("\x04\x01x"), "", false},
		"inside an OCTET STRING":      {[]byte("\x04\x03\x0c\x01x"), "", false},
		"a tag of two octets":         {[]byte("\x1f\x0c\x01x"), "", false},
		"no UTF-8":                    {[]byte("\x0c\x02x\xff"), "", false},
		"half a surrogate pair":       {[]byte("\x0c\x03\xed\xa0\x80"), "", false},
		"a tag alone":                 {[]byte("\x0c"), "", false},
		"a length without its octets": {[]byte("\x0c\x82\x01"), "", false},
		"nothing":                     {nil, "", false},
	}
}

func TestAUTF8StringHasOneEncoding(t *testing.T) {
	t.Parallel()
	for name, test := range derStrings() {
		got, err := decodeUTF8String(test.der)
		if (err == nil) != test.good || got != test.text {
			t.Errorf("%s: %x reads as %q, %v", name, test.der, got, err)
		}
		if test.good {
			if again, err := encodeUTF8String(got); err != nil || !bytes.Equal(again, test.der) {
				t.Errorf("%s: %q is written as %x, %v", name, got, again, err)
			}
		}
	}
}

// FuzzUTF8String holds the parser to encoding/asn1, which is strict about lengths: what
// it reads and writes back as it was is a UTF8String, and nothing else is.
func FuzzUTF8String(f *testing.F) {
	for _, seed := range derStrings() {
		f.Add(seed.der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := decodeUTF8String(der)
		var raw asn1.RawValue
		rest, asn1Err := asn1.Unmarshal(der, &raw)
		want := asn1Err == nil && len(rest) == 0 && raw.Class == asn1.ClassUniversal &&
			raw.Tag == asn1.TagUTF8String && !raw.IsCompound && utf8.Valid(raw.Bytes)
		if (err == nil) != want || want && got != string(raw.Bytes) {
			t.Errorf("%x reads as %q, %v; encoding/asn1 has %+v, %v and the rest %x", der, got, err, raw, asn1Err, rest)
		}
	})
}

// FuzzURIs holds the walk over alternative names to the one of encoding/asn1.
func FuzzURIs(f *testing.F) {
	for _, seed := range []string{
		"\x30\x00", "\x30\x03\x86\x01u", "\x30\x06\x86\x01u\x86\x01v", "\x30\x06\x82\x01h\x86\x01v",
		"\x30\x03\x86\x01u\x00", "\x30\x04\x86\x81\x01u", "\x30\x80\x86\x01u\x00\x00", "\x31\x03\x86\x01u",
		"\x30\x05\xa6\x03\x86\x01u", "\x30\x03\x06\x01u", "\x30\x07\xa0\x05\x86\x03uri", "\x30\x81\x03\x86\x01u", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := decodeURIs(der)
		want, good := slowURIs(der)
		if (err == nil) != good || good && !slices.Equal(got, want) {
			t.Errorf("%x reads as %q, %v; encoding/asn1 has %q, %t", der, got, err, want, good)
		}
	})
}

func slowURIs(der []byte) (uris []string, good bool) {
	var names asn1.RawValue
	rest, err := asn1.Unmarshal(der, &names)
	if err != nil || len(rest) > 0 || names.Class != asn1.ClassUniversal || names.Tag != asn1.TagSequence || !names.IsCompound {
		return nil, false
	}
	for rest = names.Bytes; len(rest) > 0; {
		var name asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &name); err != nil {
			return nil, false
		}
		// encoding/asn1 knows tags of more octets than one, which GeneralName has not.
		if name.FullBytes[0]&0x1f == 0x1f {
			return nil, false
		}
		if name.Class == asn1.ClassContextSpecific && name.Tag == 6 && !name.IsCompound {
			uris = append(uris, string(name.Bytes))
		}
	}
	return uris, true
}
