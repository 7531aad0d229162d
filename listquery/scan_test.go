package listquery

import (
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

// A uuid in another spelling would be a row or a team that is never found again.
func TestAUUIDIsReadInTheLowerCaseOfDatabasesAlone(t *testing.T) {
	const sound = "05af69cd-e231-4b78-9abc-def012345678"
	texts := []string{"", sound, sound[1:], sound + "0", strings.ReplaceAll(sound, "-", ""), "{" + sound + "}"}
	for at := range len(sound) {
		for c := range 256 {
			changed := []byte(sound)
			changed[at] = byte(c)
			texts = append(texts, string(changed))
		}
	}
	for _, text := range texts {
		id, err := cursor.ParseUUID(text)
		want := err == nil && text == strings.ToLower(text)
		if got, err := readUUID(text); (err == nil) != want || want && got != id {
			t.Errorf("readUUID(%q) = %v, %v", text, got, err)
		}
		if isNoUUID(text) == want {
			t.Errorf("isNoUUID(%q) = %t", text, want)
		}
		if got := bucketOf(text, mostBuckets); (got != noBucket) != want {
			t.Errorf("bucketOf(%q) = %d", text, got)
		}
	}
}
