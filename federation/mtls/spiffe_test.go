package mtls

import (
	"crypto/x509"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// spiffeIDs are URIs, with the trust domain of those that are a workload's.
func spiffeIDs() map[string]string {
	long := "spiffe://example.test/" + strings.Repeat("x", 2048-len("spiffe://example.test/"))
	domain := strings.Repeat("d", 255)
	return map[string]string{
		"spiffe://example.test/w":              "example.test",
		"spiffe://example.test/ns/A/sa/b.c-d_": "example.test",
		"spiffe://e_x-1.test/...":              "e_x-1.test",
		"spiffe://127.0.0.1/w":                 "127.0.0.1",
		"spiffe://" + domain + "/w":            domain,
		long:                                   "example.test",
		long + "x":                             "",
		"spiffe://" + domain + "d/w":           "",
		"spiffe://example.test":                "",
		"spiffe://example.test/":               "",
		"spiffe://example.test/w/":             "",
		"spiffe://example.test//w":             "",
		"spiffe://example.test/./w":            "",
		"spiffe://example.test/w/..":           "",
		"spiffe://example.test/a%62":           "",
		"spiffe://example.test/ü":              "",
		"spiffe://example.test/a b":            "",
		"spiffe://example.test/w?x":            "",
		"spiffe://example.test/w#x":            "",
		"spiffe://example.test/w:x":            "",
		"spiffe://example.test/w\x00":          "",
		"spiffe://example.test/w\n":            "",
		"spiffe://example.test:443/w":          "",
		"spiffe://user@example.test/w":         "",
		"spiffe://Example.test/w":              "",
		"spiffe://exämple.test/w":              "",
		"spiffe:///w":                          "",
		"spiffe://[::1]/w":                     "",
		"SPIFFE://example.test/w":              "",
		"Spiffe://example.test/w":              "",
		"https://example.test/w":               "",
		"spiffe:/example.test/w":               "",
		" spiffe://example.test/w":             "",
		"":                                     "",
	}
}

func TestASPIFFEIDHasOneForm(t *testing.T) {
	t.Parallel()
	for id, want := range spiffeIDs() {
		if got, err := parseSPIFFE(id); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%.80q is of the trust domain %.80q, %v", id, got, err)
		}
	}
}

// The grammar of the SPIFFE-ID standard, as one expression.
var spiffeGrammar = regexp.MustCompile(`\Aspiffe://([a-z0-9.\-_]{1,255})((?:/[a-zA-Z0-9.\-_]+)+)\z`)

func FuzzSPIFFE(f *testing.F) {
	for id := range spiffeIDs() {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		got, err := parseSPIFFE(id)
		want := spiffeGrammar.FindStringSubmatch(id)
		good := want != nil && len(id) <= 2048 && !strings.Contains(want[2]+"/", "/./") && !strings.Contains(want[2]+"/", "/../")
		if (err == nil) != good {
			t.Fatalf("%q reads as %q, %v; by the grammar it is one: %t", id, got, err, good)
		}
		if !good {
			return
		}
		if u, err := url.Parse(id); err != nil || u.Host != got || u.String() != id || got != want[1] {
			t.Errorf("%q is of %q, and by net/url %+v, %v", id, got, u, err)
		}
	})
}

func TestTrustDomainsAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	for _, domains := range [][]string{nil, {""}, {"Example.test"}, {"spiffe://example.test"}, {"example.test", "a/b"}, {"*"}} {
		if _, err := SPIFFE(domains...); err == nil {
			t.Errorf("the trust domains %q make an Identifier", domains)
		}
	}
}

// What no certificate parser lets through is refused here, too.
func TestAnExtensionThatIsThereTwiceIsRefused(t *testing.T) {
	t.Parallel()
	good, err := Extensions{}.Encode("g", "user-1")
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{Extensions: good}
	if got, err := (Extensions{}).Identify(leaf); err != nil || got != (Identity{Credential: "grant:g", Subject: "user-1"}) {
		t.Fatalf("the identity is %+v, %v", got, err)
	}
	for i := range good {
		leaf.Extensions = append(good[:2:2], good[i])
		if got, err := (Extensions{}).Identify(leaf); err == nil {
			t.Errorf("with %s twice, the identity is %+v", good[i].Id, got)
		}
	}
}

func TestOneExtensionCannotNameBoth(t *testing.T) {
	t.Parallel()
	for _, e := range []Extensions{{Subject: grantOID}, {Grant: subjectOID}} {
		if encoded, err := e.Encode("g", "g"); err == nil {
			t.Errorf("the extensions %+v are written as %v", e, encoded)
		}
	}
	for _, name := range []string{"", "a\x00", strings.Repeat("g", 256)} {
		if encoded, err := (Extensions{}).Encode(name, "user-1"); err == nil {
			t.Errorf("the grant %q is written as %v", name, encoded)
		}
		if encoded, err := (Extensions{}).Encode("g", name); err == nil {
			t.Errorf("the subject %q is written as %v", name, encoded)
		}
	}
}
