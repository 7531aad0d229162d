package mtls

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestAByteSequenceHasOneForm(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		":YWJj:": "abc", ":YWI=:": "ab", ":YQ==:": "a",
		"": "", ":": "", "::": "", "YWJj": "", ":YWJj": "", "YWJj:": "", ":YWI:": "", ":YWJ=:": "", ":YWI==:": "",
		":YW\nJj:": "", ":YW Jj:": "", ": YWJj:": "", ":YWJj :": "", ":YWJj:;a": "", " :YWJj:": "", ":YWJj: ": "",
		":YW-_:": "", ":YWJj:,:YWJj:": "", ":YWJj::YWJj:": "", "\"YWJj\"": "", ":=:": "", ":YWJj\r\n:": "",
	} {
		got, err := decodeByteSequence(value)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q reads as %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestAListOfByteSequences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{[]string{":YQ==:"}, "a"},
		{[]string{":YQ==:, :Yg==:"}, "a b"},
		{[]string{":YQ==:,:Yg==:"}, "a b"},
		{[]string{":YQ==:\t,\t:Yg==:"}, "a b"},
		{[]string{":YQ==:", ":Yg==:, :Yw==:"}, "a b c"},
		{[]string{""}, ""},
		{[]string{":YQ==:,"}, ""},
		{[]string{",:YQ==:"}, ""},
		{[]string{":YQ==: :Yg==:"}, ""},
		{[]string{":YQ==:", ""}, ""},
		{[]string{strings.Repeat(":YQ==:,", 5) + ":YQ==:"}, ""},
		{[]string{":" + strings.Repeat("YWFh", maxHeader/4) + ":"}, ""},
	} {
		got, err := decodeByteSequences(test.lines)
		if text := string(bytes.Join(got, []byte(" "))); text != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%.80q reads as %q, %v, want %q", test.lines, text, err, test.want)
		}
	}
}

// pemHeaders are values of headers, with what they hold.
func pemHeaders() map[string]struct {
	value string
	want  string
} {
	block := func(name, text string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: []byte(text)}))
	}
	a, b := block("CERTIFICATE", "a"), block("CERTIFICATE", "b")
	long := block("CERTIFICATE", strings.Repeat("a", 100))
	broken := strings.Replace(a, "YQ==", "Y!==", 1)
	// As AWS writes it, which leaves plus signs, slashes and equals signs as they are.
	plus := block("CERTIFICATE", "\xfb\xef\xbe\xff")
	type header = struct{ value, want string }
	return map[string]header{
		"one":                        {url.PathEscape(a), "a"},
		"escaped as a query":         {url.QueryEscape(strings.ReplaceAll(a, " ", "\x00")), ""},
		"all of it escaped":          {everyByte(a), "a"},
		"two":                        {url.PathEscape(a + b), "a b"},
		"of two lines":               {url.PathEscape(long), strings.Repeat("a", 100)},
		"without the last newline":   {url.PathEscape(strings.TrimSpace(a)), "a"},
		"with a plus":                {strings.NewReplacer("\n", "%0A", " ", "%20").Replace(plus), "\xfb\xef\xbe\xff"},
		"in one line":                {url.PathEscape(strings.ReplaceAll(long, "YWFh\n", "YWFh")), ""},
		"a broken block before":      {url.PathEscape(broken + b), ""},
		"a broken block behind":      {url.PathEscape(a + broken), ""},
		"text before":                {url.PathEscape("x\n" + a), ""},
		"text behind":                {url.PathEscape(a + "x"), ""},
		"text between":               {url.PathEscape(a + "\n" + b), ""},
		"headers inside":             {url.PathEscape(strings.Replace(a, "-\n", "-\nx: y\n\n", 1)), ""},
		"spaces at the end of lines": {url.PathEscape(strings.Replace(a, "\n", " \n", 1)), ""},
		"another type":               {url.PathEscape(block("TRUSTED CERTIFICATE", "a")), ""},
		"a key":                      {url.PathEscape(block("PRIVATE KEY", "a")), ""},
		"no escapes":                 {strings.ReplaceAll(a, "\n", " "), ""},
		"half an escape":             {url.PathEscape(a) + "%0", ""},
		"nothing in it":              {url.PathEscape(block("CERTIFICATE", "")), ""},
		"six":                        {url.PathEscape(strings.Repeat(a, 6)), ""},
		"empty":                      {"", ""},
		"too long":                   {url.PathEscape(block("CERTIFICATE", strings.Repeat("a", maxHeader))), ""},
	}
}

func everyByte(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
	}
	return b.String()
}

func TestEscapedPEMHoldsCertificatesAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, test := range pemHeaders() {
		got, err := decodeEscapedPEM(test.value)
		if text := string(bytes.Join(got, []byte(" "))); text != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %.200q reads as %q, %v, want %q", name, test.value, text, err, test.want)
		}
	}
}

// FuzzHeader: whatever reads at all was written by a strict writer, which would write it
// that way again.
func FuzzHeader(f *testing.F) {
	for _, header := range pemHeaders() {
		f.Add(header.value)
	}
	for _, value := range []string{":YWJj:", ":YWI=:, :YQ==:", ":YWJj", "YWJj:", ":YW\nJj:", ":YWJj:;a=b", ":YWJ=:"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if der, err := decodeByteSequence(value); err == nil && ":"+base64.StdEncoding.EncodeToString(der)+":" != value {
			t.Errorf("%q reads as %x, which is written otherwise", value, der)
		}
		if list, err := decodeByteSequences([]string{value}); err == nil {
			one, oneErr := decodeByteSequence(value)
			if single := len(list) == 1 && strings.Trim(value, " \t") == value; single != (oneErr == nil) || single && !slices.Equal(one, list[0]) {
				t.Errorf("%q is the list %x and the item %x, %v", value, list, one, oneErr)
			}
		}
		blocks, err := decodeEscapedPEM(value)
		if err != nil {
			return
		}
		var text bytes.Buffer
		for _, der := range blocks {
			pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
		}
		sent, err := url.PathUnescape(value)
		if err != nil || sent != text.String() && sent+"\n" != text.String() {
			t.Errorf("%q reads as %x, which is written as %q", value, blocks, text.String())
		}
	})
}
