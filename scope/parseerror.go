package scope

import (
	"strconv"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// ParseError says why Parse refused a text. It repeats parts of the text, cut
// short and in ASCII, and matches ErrInvalid.
type ParseError struct {
	// Path leads to the value at fault, as in filters.tasks.include_teams[3].
	// It is "" for the text as a whole.
	Path string
	// Offset is the byte of the text at which the fault shows.
	Offset int64
	// Reason says in words what is wrong.
	Reason string
}

// Error describes the refusal.
func (e *ParseError) Error() string {
	text := ErrInvalid.Error()
	if e.Path != "" {
		text += " at " + e.Path
	}
	return text + " (byte " + strconv.FormatInt(e.Offset, 10) + "): " + e.Reason
}

// Unwrap returns ErrInvalid.
func (e *ParseError) Unwrap() error { return ErrInvalid }

func quoted(text string) string { return strictjson.Quote(text) }
