package federation

import (
	"context"
	"encoding/json"

	"github.com/mosaicstack/fedkit/scope"
)

// A Getter reads single rows. Calls run concurrently.
type Getter interface {
	// Get returns the row of f.Resource that has the id, if f shows it: exactly if
	// that row stands in the complete list of f. The id is what the client wrote,
	// UTF-8 without NUL and at most 1024 bytes long; nobody has checked it beyond
	// that. An id that no row can have is not found and no error. f.Limit is 1.
	//
	// Found is false for a row that is not there and for one that f does not show,
	// and the two must not differ in anything. The row is one JSON object without a
	// member named _source, which the handler adds; it belongs to the handler until it
	// has answered. A row that breaks this is never sent: the request ends as 500.
	//
	// Errors are those of Lister.List.
	Get(ctx context.Context, f scope.Filter, id string) (row json.RawMessage, found bool, err error)
}
