package enroll

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// A token is "fe1_", for what it is, and 48 bytes in base64url: the id of its ticket,
// which is no secret, and the secret, of which only the hash is kept.
const (
	tokenPrefix  = "fe1_"
	ticketBytes  = 16
	secretBytes  = 32
	tokenLetters = (ticketBytes + secretBytes) * 4 / 3
)

var encoding = base64.RawURLEncoding.Strict()

// newToken returns a token, the id of its ticket and the hash of its secret.
func newToken() (token, ticket string, hash [sha256.Size]byte) {
	var random [ticketBytes + secretBytes]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return tokenPrefix + encoding.EncodeToString(random[:]),
		encoding.EncodeToString(random[:ticketBytes]), sha256.Sum256(random[ticketBytes:])
}

// parseToken returns what newToken did. A token has one text.
func parseToken(token string) (ticket string, hash [sha256.Size]byte, ok bool) {
	letters, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(letters) != tokenLetters {
		return "", hash, false
	}
	random, err := encoding.DecodeString(letters)
	if err != nil || len(random) != ticketBytes+secretBytes { // line breaks are skipped
		return "", hash, false
	}
	return encoding.EncodeToString(random[:ticketBytes]), sha256.Sum256(random[ticketBytes:]), true
}
