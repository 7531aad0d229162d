package grants

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/scope"
)

// The longest texts of a grant, in bytes.
const (
	maxName       = 255
	maxCredential = 2048 // that of a SPIFFE ID
)

// namedByID stands before the id of a grant in the Credential of certificates that name
// the grant itself.
const namedByID = "grant:"

// CredentialOf returns the Credential of certificates that name the grant itself.
func CredentialOf(id string) string { return namedByID + id }

// Terms are what a new grant says.
type Terms struct {
	// ID names the grant. Defaults to a random UUID.
	ID string
	// Credential is what a certificate has to say to be one of this grant's, with
	// the kind of name before a colon: a SPIFFE ID, or sha256: and the thumbprint of
	// one certificate in hexadecimal digits. No two grants have the same. Defaults
	// to CredentialOf the ID, for certificates that name the grant itself.
	Credential string
	// Peer names the gateway that will hold the grant. Required.
	Peer string
	// Subject is the host's user on whose behalf the peer will read. Required.
	Subject string
	// Scope is the JSON of what the peer may read. Required.
	Scope []byte
	// NotBefore is when the grant begins to count. Defaults to now.
	NotBefore time.Time
	// Expires is the first moment at which it no longer does. Required: a grant that
	// nobody remembers must end by itself.
	Expires time.Time
}

// grant returns the pending grant of the terms.
func (t Terms) grant(registry scope.Registry, now time.Time) (Grant, error) {
	now = exact(now)
	g := Grant{
		ID: t.ID, Credential: t.Credential, Peer: t.Peer, Subject: t.Subject,
		Status: Pending, NotBefore: exact(t.NotBefore), Expires: exact(t.Expires),
		Revision: 1, Created: now, Updated: now,
	}
	if g.ID == "" {
		g.ID = newID()
	}
	if g.Credential == "" {
		g.Credential = CredentialOf(g.ID)
	}
	if t.NotBefore.IsZero() {
		g.NotBefore = now
	}
	if err := g.check(now); err != nil {
		return Grant{}, err
	}
	parsed, err := scope.Parse(registry, t.Scope)
	if err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	canonical, err := parsed.MarshalJSON()
	if err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	g.Scope = string(canonical)
	return g, nil
}

// check refuses terms that make no grant.
func (g Grant) check(now time.Time) error {
	kind, _, named := strings.Cut(g.Credential, ":")
	for _, fault := range []struct {
		is   bool
		text string
	}{
		{!IsName(g.ID), "the ID is not 1 to 255 bytes of printable text"},
		{!IsName(g.Peer), "the peer is not 1 to 255 bytes of printable text"},
		{!IsName(g.Subject), "the subject is not 1 to 255 bytes of printable text"},
		{!isText(g.Credential, maxCredential), "the credential is not 1 to 2048 bytes of printable text"},
		{!named || kind == "", "the credential does not begin with its kind and a colon"},
		{kind == "grant" && g.Credential != CredentialOf(g.ID), "the credential names another grant"},
		{g.Expires.IsZero(), "it never expires"},
		{!g.Expires.After(now), "it has expired"},
		{!g.Expires.After(g.NotBefore), "it expires before it begins"},
		{g.Expires.Year() > 9999 || g.NotBefore.Year() < 1, "its times are beyond the years 1 to 9999"},
	} {
		if fault.is {
			return fmt.Errorf("%w: %s", ErrInvalid, fault.text)
		}
	}
	return nil
}

// IsName reports whether text can be the id, the peer or the subject of a grant: 1 to
// 255 bytes of UTF-8 that hold neither control nor formatting characters. What is none
// need not be looked for.
func IsName(text string) bool { return isText(text, maxName) }

func isText(text string, limit int) bool {
	if text == "" || len(text) > limit || !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError })
}

// exact returns a time as the databases keep it.
func exact(t time.Time) time.Time { return t.UTC().Round(0).Truncate(time.Microsecond) }

// newID returns a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
