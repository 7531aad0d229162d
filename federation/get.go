package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/scope"
)

// maxItemID is the length in bytes of the longest id that a Getter is asked for.
const maxItemID = 1024

var (
	errNothingLeft = errors.New("federation: the filter shows no row at all")
	errItemHidden  = errors.New("federation: the row is not there or does not show")
	errItemID      = errors.New("federation: the id is too long, not UTF-8 or has a NUL")
)

// get serves one row of a resource. It goes down the decision table as a list does;
// no row of it but the last ones depends on the id, so that whoever is refused before
// has learned nothing of it.
func (h *handler) get(x *exchange, body *bytes.Buffer) *refusal {
	if refused := x.only(http.MethodPost); refused != nil {
		return refused
	}
	if refused := readEmptyBody(x.request); refused != nil {
		return refused
	}
	defer x.limitTo(h.Timeout)()
	if refused := h.admit(x); refused != nil {
		return refused
	}
	filter, refused := h.evaluate(x, scope.ParseLimit("1"), nothingToCheck)
	if refused != nil {
		return refused
	}
	return h.settle(x, h.item(x, filter, body))
}

// nothingToCheck is row 11 for a request that has no cursor.
func nothingToCheck() (scope.Code, error) { return "", nil }

// item reads one row and writes the response body. Rows 14, 15 and 17: a row that is
// not there, one that does not show and an id that no row has are the same answer.
func (h *handler) item(x *exchange, filter scope.Filter, body *bytes.Buffer) *refusal {
	if filter.Empty() {
		return &refusal{code: codeNothingLeft, err: errNothingLeft}
	}
	if !isItemID(x.item) {
		return &refusal{code: codeItemNotFound, err: errItemID}
	}
	got, err := call(x.ctx, h, PartGet, "getter", func(ctx context.Context) (got gotten, err error) {
		got.row, got.found, err = h.Getter.Get(ctx, filter, x.item)
		return got, err
	})
	switch {
	case err != nil:
		return x.refuseQuery(err)
	case !got.found:
		return &refusal{code: codeItemNotFound, err: errItemHidden}
	}
	if err := appendItem(body, got.row); err != nil {
		return &refusal{code: codeQueryFailed, err: err}
	}
	x.rows = 1
	return nil
}

// gotten is what a Getter returned.
type gotten struct {
	row   json.RawMessage
	found bool
}

// isItemID tells if an id can be handed to a Getter: databases cut or refuse what is
// not text.
func isItemID(id string) bool {
	return len(id) <= maxItemID && utf8.ValidString(id) && strings.IndexByte(id, 0) < 0
}

// appendItem writes the body of a 200.
func appendItem(body *bytes.Buffer, row json.RawMessage) error {
	body.WriteString(`{"item":`)
	if err := appendSourced(body, row); err != nil {
		return fmt.Errorf("federation: the row of the getter: %w", err)
	}
	body.WriteString("}\n")
	return nil
}
