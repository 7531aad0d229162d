package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// Capabilities are what a gateway says of itself and of the grant.
type Capabilities struct {
	Resources         []string `json:"resources"`
	ExcludedResources []string `json:"excluded_resources"`
	MaxRowsPerQuery   int      `json:"max_rows_per_query"` // 1 to 10000
	SupportedVerbs    []string `json:"supported_verbs"`

	// A gateway of another implementation may say nothing of these.
	ProtocolVersions []string       `json:"protocol_versions"`
	Features         []string       `json:"features"`
	Limits           map[string]int `json:"limits"`
}

// Capabilities reads what the grant lets the client ask for. An answer without one of the
// first four, or with a value that the contract does not allow there, is
// ErrProtocolViolation.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	text, reply, err := c.call(ctx, question{method: http.MethodGet, path: verbCapabilities})
	if err != nil {
		return Capabilities{}, err
	}
	capabilities, err := parseCapabilities(text)
	if err != nil {
		return Capabilities{}, reply.violation(err)
	}
	return capabilities, nil
}

var (
	errNotObject = errors.New("the answer is not one JSON object")
	errNothing   = errors.New("is not there, or nothing is in it")
	errManyRows  = errors.New("is not 1 to 10000")
)

// parseCapabilities reads the answer: what stands in it under the very names of the
// contract. Other members are ignored.
func parseCapabilities(text []byte) (Capabilities, error) {
	if !utf8.Valid(text) {
		return Capabilities{}, errNotUTF8
	}
	text = bytes.Trim(text, jsonSpace)
	var c Capabilities
	members := c.members()
	var failed error
	end := walkMembers(text, 0, func(quoted []byte, at int) int {
		name, end := string(unescape(quoted)), skipValue(text, at, 1)
		member, known := members[name]
		if end < 0 || !known {
			return end
		}
		members[name] = nil // is what a second one of the name finds
		if member == nil {
			failed = errTwice
		} else if err := json.Unmarshal(text[at:end], member); err != nil {
			failed = fmt.Errorf("the member %s: %w", name, err)
		}
		if failed != nil {
			return -1
		}
		return end
	})
	switch {
	case failed != nil:
		return Capabilities{}, failed
	case end < 0 || end != len(text):
		return Capabilities{}, errNotObject
	}
	if err := c.check(); err != nil {
		return Capabilities{}, err
	}
	return c, nil
}

// members are where the members of the answer go.
func (c *Capabilities) members() map[string]any {
	return map[string]any{
		"resources":          &c.Resources,
		"excluded_resources": &c.ExcludedResources,
		"max_rows_per_query": &c.MaxRowsPerQuery,
		"supported_verbs":    &c.SupportedVerbs,
		"protocol_versions":  &c.ProtocolVersions,
		"features":           &c.Features,
		"limits":             &c.Limits,
	}
}

// check makes sure that there is what every gateway says.
func (c *Capabilities) check() error {
	switch {
	case len(c.Resources) == 0:
		return fmt.Errorf("the member resources %w", errNothing)
	case c.ExcludedResources == nil: // it may be empty
		return fmt.Errorf("the member excluded_resources %w", errNothing)
	case len(c.SupportedVerbs) == 0:
		return fmt.Errorf("the member supported_verbs %w", errNothing)
	case c.MaxRowsPerQuery < 1 || c.MaxRowsPerQuery > maxFanOutLimit:
		return fmt.Errorf("the member max_rows_per_query %w", errManyRows)
	}
	return nil
}
