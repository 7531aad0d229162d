package federation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/internal/contracttest"
)

// placeholder stands for a genuine cursor in the bodies of the fuzz target, which
// could not find one.
const placeholder = "TOKEN"

// Whatever a body is, the answer is no failure of the server, and the lister is
// asked exactly for those bodies that a slow reference calls valid.
func FuzzListBody(f *testing.F) {
	h := newHost(f)
	handler := h.quiet(f)
	token := mustPage(f, h.post(f, "tasks", `{"limit":1}`)).NextCursor
	for _, body := range []string{``, `{}`, `{"limit":1}`, `{"limit":"25","cursor":"TOKEN"}`, `{"cursor":"TOKEN="}`, `{"limit":1,"limit":2}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		body = bytes.ReplaceAll(body, []byte(placeholder), []byte(token))
		before := h.listed.Load()
		w := newRecorder()
		contracttest.Watch(t, handler).ServeHTTP(w, newPost(Prefix+"list/tasks", string(body)))
		listed := h.listed.Load() > before

		valid := slowValid(body, token)
		if listed != valid {
			t.Errorf("the reference calls %q valid: %t; the lister was asked: %t; the answer is %d %s", body, valid, listed, w.Code, w.Body)
		}
		switch {
		case valid && w.Code == http.StatusOK:
		case len(body) > maxBody && w.Code == http.StatusRequestEntityTooLarge:
		case !valid && w.Code == http.StatusBadRequest:
		default:
			t.Errorf("%q is answered with %d %s", body, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q is answered with something that is no JSON: %q", body, w.Body)
		}
	})
}

var plainDigits = regexp.MustCompile(`^[1-9][0-9]*$`)

// slowValid is the contract of a list body on top of encoding/json: token is the
// only cursor there is.
func slowValid(body []byte, token string) bool {
	if len(body) == 0 {
		return true
	}
	if len(body) > maxBody || !utf8.Valid(body) || !json.Valid(body) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if open, _ := decoder.Token(); open != json.Delim('{') {
		return false
	}
	seen := map[json.Token]bool{}
	for decoder.More() {
		name, _ := decoder.Token()
		value, _ := decoder.Token()
		if seen[name] || !slowMember(name, value, token) {
			return false
		}
		seen[name] = true
	}
	return true
}

func slowMember(name, value json.Token, token string) bool {
	if name == "cursor" {
		return value == token
	}
	if name != "limit" {
		return false
	}
	digits, isText := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		digits, isText = number.String(), true
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return isText && plainDigits.MatchString(digits) && err == nil && n <= 1<<53-1
}
