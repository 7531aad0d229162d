package scope

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mosaicstack/fedkit/internal/strictjson"
)

// node is a value and the path that leads to it.
type node struct {
	strictjson.Value
	path string
}

func (n node) member(m strictjson.Member) node {
	return node{m.Value, strictjson.MemberPath(n.path, m.Name)}
}

// members returns the members of an object by name, and refuses any that is
// not known.
func (n node) members(known ...string) (map[string]node, error) {
	if err := n.want(strictjson.Object); err != nil {
		return nil, err
	}
	found := make(map[string]node, len(n.Members))
	for _, m := range n.Members {
		if !slices.Contains(known, m.Name) {
			return nil, n.member(m).failAt(m.Offset, "the member is unknown%s", hint(m.Name, known))
		}
		found[m.Name] = n.member(m)
	}
	return found, nil
}

// hint helps with a name that a reader which folds case would have taken.
func hint(name string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(name, k) {
			return fmt.Sprintf(" (names are exact: %q)", k)
		}
	}
	return ""
}

// strings returns the items of an array of at most the given number of
// different strings, none of which the check finds fault with.
func (n node) strings(most int, check func(string) string) ([]string, error) {
	if err := n.want(strictjson.Array); err != nil {
		return nil, err
	}
	if len(n.Items) > most {
		return nil, n.fail("the list has %d items, more than %d", len(n.Items), most)
	}
	list := make([]string, 0, len(n.Items))
	seen := make(map[string]bool, len(n.Items))
	for i, value := range n.Items {
		item := node{value, strictjson.ItemPath(n.path, i)}
		if err := item.want(strictjson.String); err != nil {
			return nil, err
		}
		if fault := check(item.Text); fault != "" {
			return nil, item.fail("%s", fault)
		}
		if seen[item.Text] {
			return nil, item.fail("%s is listed twice", quoted(item.Text))
		}
		seen[item.Text] = true
		list = append(list, item.Text)
	}
	return list, nil
}

func (n node) want(kind strictjson.Kind) error {
	if n.Kind != kind {
		return n.fail("%s stands where %s must be", n.Kind, kind)
	}
	return nil
}

func (n node) fail(format string, args ...any) error {
	return n.failAt(n.Offset, format, args...)
}

func (n node) failAt(offset int64, format string, args ...any) error {
	return &ParseError{Path: n.path, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
