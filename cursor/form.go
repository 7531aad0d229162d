package cursor

// Form says how tokens are protected. A codec makes and reads tokens of one
// form only, so that nobody can hand it a weaker one.
type Form uint8

const (
	// Sealed tokens are encrypted and authenticated with AES-256-GCM: they
	// can neither be read nor changed. Their length shows, which key made
	// them, and whether two of them are equal. It is the default.
	Sealed Form = iota

	// Signed tokens are authenticated with HMAC-SHA256, truncated to 128
	// bits: they cannot be changed, but whoever holds one can read it.
	Signed

	// Plain tokens are not protected. Who holds one can read it and write
	// any other: use them only where callers are trusted with every position
	// and every query. They are still decoded as strictly as the others.
	Plain
)

// begin writes the prefix and leaves space for what stands before the payload.
func (f Form) begin(dst []byte) []byte {
	dst = append(dst, version, byte(f))
	return append(dst, make([]byte, f.payloadAt()-prefixLen)...)
}

// payloadAt is where the payload begins.
func (f Form) payloadAt() int {
	switch f {
	case Plain:
		return prefixLen
	case Signed:
		return headerLen
	default:
		return headerLen + nonceLen
	}
}

// minLen is the length in bytes of a token with the shortest payload: the
// digest of a binding, no expiry, and one field of one byte.
func (f Form) minLen() int {
	n := f.payloadAt() + digestLen + 2
	if f != Plain {
		n += tagLen
	}
	return n
}
