package federation

import (
	"context"
	"encoding/json"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A Lister reads pages of rows. Calls run concurrently.
type Lister interface {
	// Layout returns the keyset layout of a resource, and false for a resource
	// that the lister does not serve. It must not wait for anything.
	Layout(resource string) (cursor.Layout, bool)

	// List returns at most f.Limit of the rows that f shows, in keyset order,
	// starting behind the position after (nil: from the start), and the position
	// of the last row it returned if more rows may follow, else nil. A page with a
	// next position has at least one row.
	//
	// Each row is one JSON object without a member named _source, which the
	// handler adds. The rows belong to the handler until it has answered, and
	// it does not change them. A page that breaks these rules is never sent: the
	// request ends as 500.
	//
	// An error that matches scope.ErrUnavailable or context.DeadlineExceeded is
	// 503, any other 500; its text goes to the host's log only.
	List(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error)
}
