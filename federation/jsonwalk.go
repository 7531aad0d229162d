package federation

import (
	"bytes"
	"encoding/json"
	"errors"
)

// The walk functions read the object or the array that begins at i, and return the index
// behind it, or -1. They leave each value to visit: it gets the index where the value
// begins and returns the one behind it, or -1 to end the walk with -1.

// walkMembers gives visit each name as it stands in the text, for unescape.
func walkMembers(text []byte, i int, visit func(quoted []byte, at int) int) int {
	if i >= len(text) || text[i] != '{' {
		return -1
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(text) || text[i] != '"' {
			return -1
		}
		end := skipString(text, i)
		if end < 0 {
			return -1
		}
		quoted := text[i:end]
		if i = skipSpace(text, end); i >= len(text) || text[i] != ':' {
			return -1
		}
		if i = visit(quoted, skipSpace(text, i+1)); i < 0 {
			return -1
		}
		i = skipSpace(text, i)
		switch {
		case i >= len(text):
			return -1
		case text[i] == '}':
			return i + 1
		case text[i] != ',':
			return -1
		}
		i = skipSpace(text, i+1)
	}
}

func walkElements(text []byte, i int, visit func(at int) int) int {
	if i >= len(text) || text[i] != '[' {
		return -1
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == ']' {
		return i + 1
	}
	for {
		if i = visit(i); i < 0 {
			return -1
		}
		i = skipSpace(text, i)
		switch {
		case i >= len(text):
			return -1
		case text[i] == ']':
			return i + 1
		case text[i] != ',':
			return -1
		}
		i = skipSpace(text, i+1)
	}
}

// unescape returns what a string that skipString has read stands for. Few have escapes.
func unescape(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var plain string
	if json.Unmarshal(quoted, &plain) != nil {
		return nil // it has been read, so it is JSON
	}
	return []byte(plain)
}

var errNotText = errors.New("is not a string")

// textAt returns the string that begins at i.
func textAt(text []byte, i int) (string, error) {
	if i >= len(text) || text[i] != '"' {
		return "", errNotText
	}
	end := skipString(text, i)
	if end < 0 {
		return "", errNotText
	}
	return string(unescape(text[i:end])), nil
}
