package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// All reads the rows from r.Cursor on, page by page: the next page is asked for when its
// first row is, and none after the loop breaks. It ends at the first error, which comes
// with no row; the rows before it are good.
//
// A list of which rows are missing ends with a *[SourcesError] that matches [ErrPartial],
// behind its last row: what a source failed to give never looks like the end.
func (c *Client) All(ctx context.Context, resource string, r ListRequest) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for {
			page, err := c.List(ctx, resource, r)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				if page.Partial {
					yield(nil, &SourcesError{Code: ErrPartial, Sources: page.Sources})
				}
				return
			}
			r.Cursor = page.Next
		}
	}
}

// ListAs is Client.List with the rows decoded by encoding/json, one after the other, into
// rows of the host's type. The page's Items hold them as they came.
func ListAs[T any](ctx context.Context, c *Client, resource string, r ListRequest) ([]T, Page, error) {
	page, err := c.List(ctx, resource, r)
	if err != nil {
		return nil, Page{}, err
	}
	rows := make([]T, len(page.Items))
	for i, item := range page.Items {
		if rows[i], err = decodeRow[T](item); err != nil {
			return nil, Page{}, err
		}
	}
	return rows, page, nil
}

// GetAs is Client.Get with the row decoded by encoding/json.
func GetAs[T any](ctx context.Context, c *Client, resource, id string) (T, error) {
	item, err := c.Get(ctx, resource, id)
	if err != nil {
		var none T
		return none, err
	}
	return decodeRow[T](item)
}

// AllAs is Client.All with the rows decoded by encoding/json. A row that does not decode
// ends it.
func AllAs[T any](ctx context.Context, c *Client, resource string, r ListRequest) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range c.All(ctx, resource, r) {
			var row T
			if err == nil {
				row, err = decodeRow[T](item)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// decodeRow returns the row, or the zero row beside a *PeerError: a row that is not what
// the host's type says is no answer that it can use.
func decodeRow[T any](item json.RawMessage) (T, error) {
	var row, none T
	if err := json.Unmarshal(item, &row); err != nil {
		return none, &PeerError{Code: ErrProtocolViolation, Err: fmt.Errorf("the row does not decode: %w", err)}
	}
	return row, nil
}
