package cursor_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// The tokens of goldenPosition under key 1. Clients hold such tokens: whoever
// changes one of these texts changes the version of the encoding too.
var golden = map[cursor.Form]string{
	cursor.Sealed: "AQA-fhYeKTSqlylks5uORzaHJswa25J7sbL4u0wERqA4KL0ZljZaJznYTgAjP2MgK4h08341F82WIvLEvo_9yzt0ZGMiuL-bS1V2GWfyAu_r-Pk",
	cursor.Signed: "AQE-fhYedgHjOHMiKcUEUKE3hLSf3AAABkvhF9mSQQECYWLXBAABlUw6_wBxEYAiAQIDBAUGAh8vOhVBiM_-W_cNDeYLoYA",
	cursor.Plain:  "AQJ2AeM4cyIpxQRQoTeEtJ_cAAAGS-EX2ZJBAQJhYtcEAAGVTDr_AHERgCIBAgMEBQYC",
}

func goldenPosition() cursor.Position {
	return cursor.Position{
		cursor.TimeValue(noon), cursor.TextValue("ab"), cursor.Int64Value(-300),
		cursor.NullValue(), cursor.UUIDValue(someUUID), cursor.EnumValue(2),
	}
}

func goldenLayout(t *testing.T) cursor.Layout {
	return newLayout(t, "golden; v1",
		cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindText, Nullable: true},
		cursor.Field{Kind: cursor.KindInt64}, cursor.Field{Kind: cursor.KindInt64, Nullable: true},
		cursor.Field{Kind: cursor.KindUUID}, cursor.Field{Kind: cursor.KindEnum, Members: 3})
}

func TestTokensOfThisVersionDoNotChange(t *testing.T) {
	b := goldenLayout(t).Bind(query())
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			if got := encode(t, c, b, goldenPosition()); got != golden[form.form] {
				t.Errorf("the token is %q, and was %q", got, golden[form.form])
			}
			mustOpen(t, c, b, golden[form.form], goldenPosition())
		})
	}
}

// TestTokensAreWhatTheyAreSaidToBe builds each token a second time, from the
// description in the source and the standard library alone.
func TestTokensAreWhatTheyAreSaidToBe(t *testing.T) {
	payload := referencePayload()
	header := func(form cursor.Form) []byte {
		return append([]byte{1, byte(form)}, referenceSubkey(t, "fingerprint")[:4]...)
	}
	signed := append(header(cursor.Signed), payload...)
	nonce := referenceMAC(referenceSubkey(t, "nonce"), payload)[:12]
	sealed := append(header(cursor.Sealed), nonce...)
	want := map[cursor.Form][]byte{
		cursor.Sealed: referenceGCM(t).Seal(sealed, nonce, payload, header(cursor.Sealed)),
		cursor.Signed: append(signed, referenceMAC(referenceSubkey(t, "sign"), signed)[:16]...),
		cursor.Plain:  append([]byte{1, byte(cursor.Plain)}, payload...),
	}
	b := goldenLayout(t).Bind(query())
	for _, form := range forms {
		now := &clock{noon}
		c := newCodec(t, cursor.Config{Form: form.form, TTL: time.Hour, Now: now.read})
		got := encode(t, c, b, goldenPosition())
		if text := base64.RawURLEncoding.EncodeToString(want[form.form]); got != text {
			t.Errorf("the %s token is %q, and by the description %q", form.name, got, text)
		}
	}
}

// referencePayload is the payload of goldenPosition, bound to query, with an
// expiry an hour after noon.
func referencePayload() []byte {
	text := func(s string) string { return string(rune(len(s))) + s } // short texts only
	layout := sha256.Sum256([]byte("fedkit cursor layout v1\n" + text("golden; v1") +
		"\x06" + "\x01\x00\x00" + "\x02\x01\x00" + "\x03\x00\x00" + "\x03\x01\x00" + "\x04\x00\x00" + "\x05\x00\x03"))
	scope := query().Scope
	binding := sha256.Sum256([]byte("fedkit cursor binding v1\n" + string(layout[:]) +
		text("tasks") + text("grant-1") + text("user-1") + string(scope[:]) +
		"\x02" + text("status") + "\x02" + text("blocked") + text("open") + text("team") + "\x01" + text("red")))

	payload := append(binding[:16:16], 1)
	payload = binary.BigEndian.AppendUint64(payload, uint64(noon.Add(time.Hour).UnixMicro()))
	payload = binary.BigEndian.AppendUint64(payload, uint64(noon.UnixMicro()))
	payload = append(payload, 1, 2, 'a', 'b')
	payload = append(payload, 0xd7, 0x04) // -300: zigzag 599
	payload = append(payload, 0)
	payload = append(payload, someUUID[:]...)
	return append(payload, 2)
}

func referenceSubkey(t *testing.T, purpose string) []byte {
	t.Helper()
	k, err := hkdf.Key(sha256.New, key(1), nil, "fedkit cursor v1 "+purpose, 32)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func referenceMAC(key, message []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(message)
	return m.Sum(nil)
}

func referenceGCM(t *testing.T) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(referenceSubkey(t, "seal"))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm
}
