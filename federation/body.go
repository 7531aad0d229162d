package federation

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/mosaicstack/fedkit/internal/strictjson"
	"github.com/mosaicstack/fedkit/scope"
)

// maxBody is the length of the longest body that is read, in bytes.
const maxBody = 8 << 10

// A listBody is what a peer asks of a list. It is syntax only: a limit or cursor
// that is wrong in itself is kept, for the row of the decision table where it
// counts.
type listBody struct {
	limit  scope.Limit
	cursor *string // nil: not given; "": given, and no string or an empty one
	source Source  // empty: not given
}

// readListBody reads the body of a list request: the last part of row 1.
func (h *handler) readListBody(r *http.Request) (listBody, *refusal) {
	text, refused := readBody(r, h.maxBody())
	if refused != nil || len(text) == 0 {
		return listBody{}, refused
	}
	asked, err := parseListBody(text, h.FanOut != nil)
	if err != nil {
		return listBody{}, &refusal{code: codeBadBody, err: err, message: "the body is refused: " + err.Error()}
	}
	return asked, nil
}

// readBody returns the body, empty if there is none. Of a body that is announced
// as too long nothing is read, and of any other one at most a byte too much.
func readBody(r *http.Request, most int) ([]byte, *refusal) {
	announced := r.ContentLength
	if announced > 0 && !isJSON(r.Header) {
		return nil, &refusal{code: codeBadType}
	}
	if announced > int64(most) {
		return nil, &refusal{code: codeBodyTooLarge, message: saysTooLarge(most)}
	}
	if announced == 0 || r.Body == nil {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	switch {
	case len(text) > 0 && !isJSON(r.Header):
		return nil, &refusal{code: codeBadType}
	case len(text) > most, isTooLarge(err):
		return nil, &refusal{code: codeBodyTooLarge, err: err, message: saysTooLarge(most)}
	case err != nil:
		return nil, &refusal{code: codeBadBody, err: err}
	}
	return text, nil
}

// isTooLarge tells if a middleware of the host stopped the body at a limit lower
// than ours.
func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}

// isJSON tells if a body is JSON in UTF-8, and not compressed: a decoder would
// turn 8 KiB into megabytes.
func isJSON(header http.Header) bool {
	types := header["Content-Type"]
	if len(types) != 1 || header.Get("Content-Encoding") != "" {
		return false
	}
	if types[0] == contentTypeJSON {
		return true
	}
	media, params, err := mime.ParseMediaType(types[0])
	if err != nil || media != contentTypeJSON {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

// parseListBody reads {"limit": …, "cursor": …}. It refuses what encoding/json
// would let pass: names that differ in case, members that stand there twice and
// anything behind the object. Its errors say what is wrong and at which byte. A source is
// a member for those who merge lists alone.
func parseListBody(text []byte, merges bool) (listBody, error) {
	members, err := parseObject(text)
	if err != nil {
		return listBody{}, err
	}
	var asked listBody
	for _, member := range members {
		switch {
		case member.Name == "limit":
			asked.limit = parseLimit(member.Value)
		case member.Name == "cursor":
			asked.cursor = parseCursor(member.Value)
		case member.Name == "source" && merges:
			if asked.source, err = parseSource(member.Value); err != nil {
				return listBody{}, err
			}
		default:
			known := "neither limit nor cursor"
			if merges {
				known = "neither limit nor cursor nor source"
			}
			return listBody{}, fmt.Errorf("the member %s (byte %d) is %s",
				strictjson.MemberPath("", member.Name), member.Offset, known)
		}
	}
	return asked, nil
}

// readEmptyBody reads the body of a request that asks for nothing more than its path
// says: there is none, or an object without members.
func readEmptyBody(r *http.Request) *refusal {
	text, refused := readBody(r, maxBody)
	if refused != nil || len(text) == 0 {
		return refused
	}
	members, err := parseObject(text)
	if err == nil && len(members) > 0 {
		err = fmt.Errorf("the member %s (byte %d) is unknown here",
			strictjson.MemberPath("", members[0].Name), members[0].Offset)
	}
	if err != nil {
		return &refusal{code: codeBadBody, err: err, message: "the body is refused: " + err.Error()}
	}
	return nil
}

func parseObject(text []byte) ([]strictjson.Member, error) {
	tree, err := strictjson.Decode(text)
	if err != nil {
		return nil, err
	}
	if tree.Kind != strictjson.Object {
		return nil, fmt.Errorf("it is %s and not an object", tree.Kind)
	}
	return tree.Members, nil
}

// parseLimit takes a number by its digits, and a string that holds them: peers of
// other implementations send both.
func parseLimit(v strictjson.Value) scope.Limit {
	if v.Kind == strictjson.Number || v.Kind == strictjson.String {
		return scope.ParseLimit(v.Text)
	}
	return scope.ParseLimit("")
}

// parseCursor never returns nil: a cursor that is no string must not become "no
// cursor", which is the first page.
func parseCursor(v strictjson.Value) *string {
	token := ""
	if v.Kind == strictjson.String {
		token = v.Text
	}
	return &token
}
