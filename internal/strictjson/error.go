package strictjson

import "strconv"

// Error says why a text was refused. Its parts may repeat up to 64 runes of the
// text, in ASCII.
type Error struct {
	// Path leads to the value at fault, "" for the outermost one.
	Path string
	// Offset is the byte at which it shows.
	Offset int64
	// Reason is a clause such as "the member is there twice".
	Reason string
}

// Error describes the refusal.
func (e *Error) Error() string {
	text := "invalid JSON"
	if e.Path != "" {
		text += " at " + e.Path
	}
	return text + " (byte " + strconv.FormatInt(e.Offset, 10) + "): " + e.Reason
}
