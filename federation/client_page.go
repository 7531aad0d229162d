package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A Page is one page of a list.
type Page struct {
	// Items are the rows, one JSON object each, whose member _source says where the
	// row is from. They are parts of one answer and belong to the caller; who keeps
	// one of them for long clones it.
	Items []json.RawMessage

	// Next is the cursor of the next page, empty behind the last one.
	Next string

	// Partial says that rows are missing, of this page or one before it, because a
	// source failed. Sources says which.
	Partial bool

	// Sources are the states of the sources of the list, by name. A gateway that
	// lists its own rows names none. States and codes are words: lower-case letters
	// and underscores.
	Sources []SourceStatus
}

var (
	errNotUTF8    = errors.New("the answer is not UTF-8")
	errNotPage    = errors.New("the answer is not one JSON object with items")
	errNotItem    = errors.New("the answer is not one JSON object with an item")
	errTwice      = errors.New("the answer has a member twice")
	errNoCursor   = errors.New("the page says that rows remain, and has no cursor to them")
	errBadCursor  = errors.New("nextCursor is not a string, or is empty")
	errStandstill = errors.New("the page goes on where it began")
	errTooMany    = errors.New("the page has more rows than were asked for")
	errLong       = errors.New("it is too long")
)

// A pageReader collects what stands in the answer to a list.
type pageReader struct {
	text      []byte
	limit     int // of the request, 0: none
	page      Page
	seen      map[string]bool
	truncated bool
	err       error
}

// parsePage reads the answer to r. Members that it does not know are ignored: a later
// gateway may have them.
func parsePage(text []byte, r ListRequest) (Page, error) {
	if !utf8.Valid(text) {
		return Page{}, errNotUTF8
	}
	p := pageReader{text: bytes.Trim(text, jsonSpace), limit: r.Limit, seen: make(map[string]bool, 5)}
	end := walkMembers(p.text, 0, p.member)
	switch {
	case p.err != nil:
		return Page{}, p.err
	case end < 0 || end != len(p.text) || !p.seen["items"]:
		return Page{}, errNotPage
	case p.page.Next == "" && p.truncated:
		return Page{}, errNoCursor
	case p.page.Next != "" && (p.page.Next == r.Cursor || len(p.page.Items) == 0 && !p.seen["_sources"]):
		return Page{}, errStandstill
	}
	return p.page, nil
}

// member reads one member of the answer.
func (p *pageReader) member(quoted []byte, at int) int {
	name := unescape(quoted)
	switch string(name) {
	case "items", "nextCursor", "_truncated", "_partial", "_sources":
	default:
		return skipValue(p.text, at, 1)
	}
	if p.seen[string(name)] {
		return p.fail(errTwice)
	}
	p.seen[string(name)] = true
	if string(name) == "items" {
		return walkElements(p.text, at, p.item)
	}
	end := skipValue(p.text, at, 1)
	if end < 0 {
		return -1
	}
	if err := p.value(string(name), p.text[at:end]); err != nil {
		return p.fail(err)
	}
	return end
}

func (p *pageReader) fail(err error) int {
	p.err = err
	return -1
}

// item reads one row.
func (p *pageReader) item(at int) int {
	if at >= len(p.text) || p.text[at] != '{' {
		return -1
	}
	if p.limit > 0 && len(p.page.Items) == p.limit {
		return p.fail(errTooMany) // a row of two bytes takes more memory than that
	}
	end := skipValue(p.text, at, 2)
	if end > 0 {
		p.page.Items = append(p.page.Items, p.text[at:end:end])
	}
	return end
}

// maxMember is how long a member that is small may be, in bytes. The states of 65 sources
// take a sixth of it.
const maxMember = 64 << 10

// value reads a member that is small.
func (p *pageReader) value(name string, value []byte) error {
	var err error
	switch {
	case len(value) > maxMember:
		err = errLong
	case name == "nextCursor":
		if p.page.Next, err = textAt(value, 0); err != nil || p.page.Next == "" {
			return errBadCursor
		}
	case name == "_truncated":
		err = json.Unmarshal(value, &p.truncated)
	case name == "_partial":
		err = json.Unmarshal(value, &p.page.Partial)
	case name == "_sources":
		if err = json.Unmarshal(value, &p.page.Sources); err == nil {
			err = checkSources(p.page.Sources)
		}
	}
	if err != nil {
		return fmt.Errorf("the member %s: %w", name, err)
	}
	return nil
}

// parseItem reads the answer to a get.
func parseItem(text []byte) (json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	text = bytes.Trim(text, jsonSpace)
	var item json.RawMessage
	end := walkMembers(text, 0, func(quoted []byte, at int) int {
		end := skipValue(text, at, 1)
		if string(unescape(quoted)) == "item" && end > 0 {
			if item != nil || text[at] != '{' {
				return -1
			}
			item = text[at:end:end]
		}
		return end
	})
	if end < 0 || end != len(text) || item == nil {
		return nil, errNotItem
	}
	return item, nil
}
