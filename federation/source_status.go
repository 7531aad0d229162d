package federation

import (
	"errors"
	"strings"
)

// A SourceState says what a source of a list did for a page.
type SourceState string

// The states of sources.
const (
	SourceOK        SourceState = "ok"        // gave rows, or may yet
	SourceExhausted SourceState = "exhausted" // has no more rows
	SourceSkipped   SourceState = "skipped"   // was not asked
	SourceDenied    SourceState = "denied"    // refused
	SourceFailed    SourceState = "failed"    // gave no answer, or none that counts
)

// A SourceStatus is the state of one source of a list. Code says why it is neither ok nor
// exhausted.
type SourceStatus struct {
	Name  string      `json:"name"`
	State SourceState `json:"state"`
	Code  ErrorCode   `json:"code,omitempty"`
}

// maxStateText is how long a state or a code may be, in bytes.
const maxStateText = 64

var errBadSources = errors.New("a source has no name, or no state or code that is a word")

// checkSources refuses states that no gateway sends. States and codes that are unknown
// here may be those of a later gateway; but they go into errors and logs, where only words
// are welcome.
func checkSources(sources []SourceStatus) error {
	for _, s := range sources {
		source, err := ParseSource(s.Name)
		if err != nil || string(source) != s.Name || source == SourceAll || !isWord(string(s.State)) || s.Code != "" && !isWord(string(s.Code)) {
			return errBadSources
		}
	}
	return nil
}

// isWord tells if text is lower-case letters and underscores.
func isWord(text string) bool {
	return text != "" && len(text) <= maxStateText && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// What a source may be besides the codes of a [PeerError].
const (
	// ErrPartial: rows are missing in a list, because a source failed.
	ErrPartial ErrorCode = "partial"
	// ErrCircuitOpen: the peer failed several times and is left alone for a while.
	ErrCircuitOpen ErrorCode = "circuit_open"
	// ErrCatchingUp: the source is back, and has not yet come to where the others are.
	ErrCatchingUp ErrorCode = "catching_up"
	// ErrCursorTooLong: the cursor of the peer leaves no room for those of the others.
	ErrCursorTooLong ErrorCode = "cursor_too_long"
	// ErrUnknownSource: the host has no such peer for this grant.
	ErrUnknownSource ErrorCode = "unknown_source"
)

// A SourcesError says that sources of a list failed. It matches its Code: ErrPartial for
// a list that ended without some of its rows, and ErrUnavailable for a page that does not
// come because all of its sources failed, or one whose failure the host does not accept.
type SourcesError struct {
	Code    ErrorCode
	Sources []SourceStatus
	Err     error // what this side knows of the reasons, or nil
}

// Error names the sources that failed.
func (e *SourcesError) Error() string {
	text := e.Code.Error() + ": " + describe(e.Sources)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is makes the error match its code.
func (e *SourcesError) Is(target error) bool {
	code, is := target.(ErrorCode)
	return is && code == e.Code
}

// Unwrap returns the reasons that this side knows.
func (e *SourcesError) Unwrap() error { return e.Err }

// String is such as peer:b failed (timeout).
func (s SourceStatus) String() string {
	text := s.Name + " " + string(s.State)
	if s.Code != "" {
		text += " (" + string(s.Code) + ")"
	}
	return text
}

// describe lists sources on one line.
func describe(sources []SourceStatus) string {
	parts := make([]string, len(sources))
	for i, s := range sources {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}
