package fleetlockhttp

import (
	"errors"
	"io"
	"net/http"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// A client is who asks: a node, and its group.
type client struct{ id, group string }

// maxBody is the length of the longest body that is read, in bytes.
const maxBody = 4 << 10

// readClient returns who asks, or a refusal. Zincati sends no content type, so none is
// asked for; the header, which no form or link of a browser can have, is what shows that
// the request is meant.
func readClient(r *http.Request) (client, error) {
	if r.Method != http.MethodPost {
		return client{}, notPost
	}
	if values := r.Header.Values("Fleet-Lock-Protocol"); len(values) != 1 || values[0] != "true" {
		return client{}, noHeader
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case len(body) > maxBody || errors.As(err, new(*http.MaxBytesError)):
		return client{}, longBody
	case err != nil:
		return client{}, badBody("the body cannot be read")
	}
	return parseClient(body)
}

// parseClient reads the body. Members that the protocol does not know are left alone, for
// a later version of it.
func parseClient(body []byte) (client, error) {
	value, err := strictjson.Decode(body)
	if err != nil {
		return client{}, badBody(err.Error())
	}
	params, ok := member(value, "client_params")
	if !ok || params.Kind != strictjson.Object {
		return client{}, badBody("client_params is not an object")
	}
	c := client{}
	for _, field := range []struct {
		name string
		text *string
		bad  refusal
		fits func(string) bool
	}{
		{"id", &c.id, badID, idForm.MatchString},
		{"group", &c.group, badGroup, groupForm.MatchString},
	} {
		v, ok := member(params, field.name)
		if !ok || v.Kind != strictjson.String || !field.fits(v.Text) {
			return client{}, field.bad
		}
		*field.text = v.Text
	}
	return c, nil
}

func member(v strictjson.Value, name string) (strictjson.Value, bool) {
	for _, m := range v.Members {
		if m.Name == name {
			return m.Value, true
		}
	}
	return strictjson.Value{}, false
}
