package cursor

// DefaultMaxLen is what Config.MaxLen defaults to.
const DefaultMaxLen = defaultMaxLen

// Craft makes a token that Encode would never make: of the codec's form, for
// the binding, authentic, but with these bytes where expiry and fields stand.
func Craft(c *Codec, b Binding, body []byte) string {
	raw := append(c.form.begin(nil), b.digest[:]...)
	return encoding.EncodeToString(c.protect(append(raw, body...)))
}

// Dissect returns the bytes of expiry and fields of an authentic token.
func Dissect(c *Codec, token string) ([]byte, error) {
	raw, err := encoding.DecodeString(token)
	if err != nil {
		return nil, err
	}
	payload, err := c.authenticate(raw)
	if err != nil {
		return nil, err
	}
	return payload[digestLen:], nil
}

// Authentic tells whether the codec's primary key made raw. Unlike Decode it
// does not look at version, form and key id before it asks the key.
func Authentic(c *Codec, raw []byte) bool {
	key := c.keys.keys().primary
	check := key.open
	if c.form == Signed {
		check = key.verify
	}
	_, err := check(append([]byte(nil), raw...))
	return err == nil
}

// HeaderLen is how many bytes of a sealed or signed token are its header.
const HeaderLen = headerLen
