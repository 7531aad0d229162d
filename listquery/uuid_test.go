package listquery

import (
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAUUIDIsOneInTheLowerCaseOfDatabases(t *testing.T) {
	const sound = "05af69cd-e231-4b78-9abc-def012345678"
	if !isUUID(sound) {
		t.Fatalf("isUUID(%q) = false", sound)
	}
	for at := range len(sound) {
		for c := range 256 {
			changed := []byte(sound)
			changed[at] = byte(c)
			text := string(changed)
			_, err := cursor.ParseUUID(text)
			if want := err == nil && text == strings.ToLower(text); isUUID(text) != want {
				t.Errorf("isUUID(%q) = %t, want %t", text, !want, want)
			}
		}
	}
	for _, text := range []string{"", sound[1:], sound + "0", strings.ReplaceAll(sound, "-", ""), "{" + sound + "}"} {
		if isUUID(text) {
			t.Errorf("isUUID(%q) = true", text)
		}
	}
}

// A team stands in the bucket that Postgres looks for it in.
func TestTheBytesOfAUUIDAreThoseOfItsDigits(t *testing.T) {
	for c := range 256 {
		id := cursor.UUID{15: byte(c)}
		text := id.String()
		if got := uuidByte(text[34], text[35]); got != byte(c) {
			t.Errorf("uuidByte of %q = %#x, want %#x", text[34:], got, c)
		}
	}
}
