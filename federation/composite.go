package federation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/cursor"
)

// A chain is a list over several sources between two of its pages: what the composite
// cursor holds.
//
// All rows up to a place in the order have been given, and none behind it. The place is
// that of the last row, whatever source it was of: a row that another source has inserted
// before it since is left out, like one that is inserted behind the reader of any list.
// For each source there is the newest cursor of its own that lies at or before that
// place, since peers give cursors at the end of their pages only, which is seldom where
// the merged page ended. Rows that it repeats are known by the order.
type chain struct {
	place   cursor.Position // key of the last row that was given; nil: none yet
	last    int             // index of the source that it was of
	partial bool            // rows are missing
	sources []chainSource   // by name, so local is first
}

// A chainSource is one source of a chain.
type chainSource struct {
	name   string // local or peer:NAME
	cursor string // the source's own; empty: the start of its list
	given  int    // rows behind the cursor that have been given, about
	mode   sourceMode
}

// A sourceMode says what will become of a source.
type sourceMode byte

const (
	modeActive    sourceMode = 'a' // is asked for each page, also if it failed before
	modeExhausted sourceMode = 'e' // has no more rows
	modeViolated  sourceMode = 'v' // broke the contract and is asked no more
	modeTooLong   sourceMode = 'l' // has a cursor that does not fit, and is asked no more
)

// status is what is said of a source that is asked no more.
func (m sourceMode) status() (SourceState, ErrorCode) {
	switch m {
	case modeExhausted:
		return SourceExhausted, ""
	case modeViolated:
		return SourceFailed, ErrProtocolViolation
	default:
		return SourceFailed, ErrCursorTooLong
	}
}

// passed tells if a row of the source with that index has been given, or lies before rows
// that have been. Ties between sources go by name.
func (c *chain) passed(o *ordering, key cursor.Position, source int) bool {
	if c.place == nil {
		return false
	}
	if order := o.compare(key, c.place); order != 0 {
		return order < 0
	}
	return source <= c.last
}

// encode returns the composite cursor. Where the cursors of all sources do not fit into
// it, the longest are given up: a source whose cursor is no longer than its share of the
// room always stays, whatever the others send.
func (c *chain) encode(codec *cursor.Codec, b cursor.Binding) (string, error) {
	for {
		position := append(append(cursor.Position{}, c.place...), cursor.TextValue(c.text()))
		token, err := codec.Encode(b, position)
		if err == nil {
			return token, nil
		}
		longest := -1
		for i, s := range c.sources {
			if s.mode == modeActive && s.cursor != "" && (longest < 0 || len(s.cursor) >= len(c.sources[longest].cursor)) {
				longest = i
			}
		}
		if longest < 0 {
			return "", err
		}
		c.sources[longest] = chainSource{name: c.sources[longest].name, mode: modeTooLong}
		c.partial = true
	}
}

// text writes down all but the place. What stands in it is sealed, so that only versions
// of this package need to agree on it.
func (c *chain) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%t %d", c.partial, c.last)
	for _, s := range c.sources {
		fmt.Fprintf(&b, " %s %c %d %d %s", s.name, s.mode, s.given, len(s.cursor), s.cursor)
	}
	return b.String()
}

var errChain = errors.New("federation: the composite cursor holds something else than it should")

// decodeChain reads a composite cursor. Every error matches cursor.ErrInvalid, or says
// that this package made something that it cannot read.
func decodeChain(codec *cursor.Codec, b cursor.Binding, token string) (*chain, error) {
	position, err := codec.Decode(b, token)
	if err != nil {
		return nil, err
	}
	last := len(position) - 1
	r := chainReader{rest: position[last].Text()}
	c := &chain{place: position[:last], partial: r.word() == "true", last: r.number()}
	for r.rest != "" {
		// A record of the page has the name, and should not have all cursors behind it.
		s := chainSource{name: strings.Clone(r.word()), mode: sourceMode((r.word() + "\x00")[0]), given: r.number()}
		s.cursor = r.text(r.number())
		c.sources = append(c.sources, s)
	}
	if r.bad || c.last < 0 || c.last >= len(c.sources) {
		return nil, fmt.Errorf("%w: %w", cursor.ErrMalformed, errChain)
	}
	return c, nil
}

// A chainReader reads what chain.text wrote: words with a space behind each.
type chainReader struct {
	rest string
	bad  bool
}

func (r *chainReader) word() string {
	word, rest, _ := strings.Cut(r.rest, " ")
	r.rest = rest
	return word
}

func (r *chainReader) number() int {
	n, err := strconv.Atoi(r.word())
	r.bad = r.bad || err != nil || n < 0
	return n
}

// text reads that many bytes.
func (r *chainReader) text(length int) string {
	if r.bad || length > len(r.rest) {
		r.bad, r.rest = true, ""
		return ""
	}
	text := r.rest[:length]
	r.rest = strings.TrimPrefix(r.rest[length:], " ")
	return text
}
