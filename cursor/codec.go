package cursor

import (
	"errors"
	"fmt"
	"time"
)

// defaultMaxLen is the longest token, in characters, unless Config says else.
const defaultMaxLen = 4096

// Config is what a codec is made of.
type Config struct {
	// Form is the form of the tokens. Defaults to Sealed.
	Form Form

	// Keys holds the keys. It is required, but for Plain, where it must be
	// nil. The ring may be rotated while the codec is in use.
	Keys *Keyring

	// TTL is how long a token is accepted, in whole microseconds: one made
	// in the microsecond t is refused from t+TTL on. With a TTL, tokens
	// without expiry are refused too. Defaults to 0: tokens do not expire by
	// themselves, yet an expiry that a token carries still counts.
	TTL time.Duration

	// MaxLen is the greatest length of a token in characters. A longer one
	// is refused before it is read, and never made. Defaults to 4096.
	MaxLen int

	// Now tells the time for TTL. Defaults to time.Now. It must be safe for
	// concurrent use.
	Now func() time.Time
}

// Codec turns positions into tokens and back. It is immutable and safe for
// concurrent use. The zero Codec refuses everything; make codecs with [New].
type Codec struct {
	form   Form
	keys   *Keyring
	ttl    time.Duration
	maxLen int
	now    func() time.Time
}

// New returns a codec, or an error that says what is wrong with cfg.
func New(cfg Config) (*Codec, error) {
	if cfg.MaxLen == 0 {
		cfg.MaxLen = defaultMaxLen
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Codec{form: cfg.Form, keys: cfg.Keys, ttl: cfg.TTL, maxLen: cfg.MaxLen, now: cfg.Now}, nil
}

func (cfg Config) check() error {
	if cfg.Form > Plain {
		return fmt.Errorf("cursor: form %d is none of Sealed, Signed and Plain", cfg.Form)
	}
	if cfg.Form == Plain && cfg.Keys != nil {
		return errors.New("cursor: plain tokens use no keys")
	}
	if cfg.Form != Plain && (cfg.Keys == nil || cfg.Keys.keys().primary == nil) {
		return errors.New("cursor: sealed and signed tokens need a ring with a primary key")
	}
	if cfg.TTL < 0 || cfg.TTL%time.Microsecond != 0 {
		return fmt.Errorf("cursor: the TTL %v is negative or finer than a microsecond", cfg.TTL)
	}
	if least := encoding.EncodedLen(cfg.Form.minLen()); cfg.MaxLen < least {
		return fmt.Errorf("cursor: no token fits into %d characters, it has at least %d", cfg.MaxLen, least)
	}
	return nil
}

// Encode returns the token of a position in the query that b was bound to.
// Equal positions give equal tokens, as long as neither the primary key nor
// the expiry changes. Every error matches ErrUnencodable.
func (c *Codec) Encode(b Binding, p Position) (string, error) {
	if b.isZero() {
		return "", fmt.Errorf("%w: it is not bound to a query", ErrUnencodable)
	}
	s := newScratch()
	defer s.free()
	raw := c.form.begin(s.raw[:0])
	raw, err := b.appendPayload(raw, c.expiry(), p, c.maxLen)
	if err != nil {
		return "", err
	}
	s.raw = c.protect(raw)
	if encoding.EncodedLen(len(s.raw)) > c.maxLen {
		return "", fmt.Errorf("%w: %w", ErrUnencodable, errLength)
	}
	s.text = encoding.AppendEncode(s.text[:0], s.raw)
	return string(s.text), nil
}

// Decode returns the position of a token that was made for the query that b
// was bound to. The position belongs to the caller and holds exactly what was
// encoded.
//
// Every error matches ErrInvalid and exactly one other sentinel. The first
// that applies counts, in this order: length, alphabet, version and form, key,
// authenticity, binding, expiry, fields.
func (c *Codec) Decode(b Binding, token string) (Position, error) {
	if len(token) > c.maxLen {
		return nil, ErrTooLong
	}
	s := newScratch()
	defer s.free()
	raw, err := s.decodeText(token)
	if err != nil {
		return nil, err
	}
	payload, err := c.authenticate(raw)
	if err != nil {
		return nil, err
	}
	digest, fields := payload[:digestLen], payload[digestLen:]
	if b.isZero() || string(digest) != string(b.digest[:]) {
		return nil, ErrMismatch
	}
	fields, err = c.checkExpiry(fields)
	if err != nil {
		return nil, err
	}
	return b.parsePosition(fields)
}

// protect writes the header and encloses the payload, which stands in raw
// behind the space that begin left.
func (c *Codec) protect(raw []byte) []byte {
	if c.form == Plain {
		return raw
	}
	key := c.keys.keys().primary
	copy(raw[prefixLen:headerLen], key.id())
	if c.form == Signed {
		return key.sign(raw)
	}
	return key.seal(raw)
}

// authenticate returns the payload of raw, which it may overwrite.
func (c *Codec) authenticate(raw []byte) ([]byte, error) {
	if len(raw) < prefixLen {
		return nil, ErrMalformed
	}
	if raw[0] != version || raw[1] != byte(c.form) {
		return nil, ErrVersion
	}
	if len(raw) < c.form.minLen() {
		return nil, ErrMalformed
	}
	if c.form == Plain {
		return raw[prefixLen:], nil
	}
	key := c.keys.keys().find(raw[prefixLen:headerLen])
	if key == nil {
		return nil, ErrUnknownKey
	}
	if c.form == Signed {
		return key.verify(raw)
	}
	return key.open(raw)
}

// expiry is the first instant at which a token that is made now is refused.
// Both here and in checkExpiry the clock counts in whole microseconds, so that
// a token lives for exactly the TTL.
func (c *Codec) expiry() Value {
	if c.ttl == 0 {
		return NullValue()
	}
	return TimeValue(c.now().Truncate(time.Microsecond).Add(c.ttl))
}

// checkExpiry reads the expiry ahead of the fields and returns the fields.
func (c *Codec) checkExpiry(payload []byte) ([]byte, error) {
	expiry, fields, err := expiryField.parse(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: expiry: %w", ErrMalformed, err)
	}
	if expiry.Kind() == KindNull {
		if c.ttl > 0 {
			return nil, ErrExpired
		}
		return fields, nil
	}
	if !c.now().Before(expiry.Time()) {
		return nil, ErrExpired
	}
	return fields, nil
}
