package strictjson

import (
	"strconv"
	"unicode/utf8"
)

// maxShown is how many runes of a name or literal a message repeats: the rest
// of an oversized one helps nobody who reads a log.
const maxShown = 64

// MemberPath returns the path of an object's member: filters.tasks, or
// filters["odd name"] where the name is no plain word.
func MemberPath(path, name string) string {
	if !isWord(name) {
		return path + "[" + Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// ItemPath returns the path of an array's item: include_teams[3].
func ItemPath(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

// Quote returns the text as a quoted literal in ASCII, cut after 64 runes.
func Quote(text string) string {
	return strconv.QuoteToASCII(Shorten(text))
}

// Shorten cuts the text after 64 runes and marks the cut with three dots.
func Shorten(text string) string {
	runes := 0
	for i := range text {
		if runes == maxShown {
			return text[:i] + "..."
		}
		runes++
	}
	return text
}

func isWord(name string) bool {
	if name == "" || utf8.RuneCountInString(name) > maxShown {
		return false
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		digit := c >= '0' && c <= '9' && i > 0
		if !letter && !digit {
			return false
		}
	}
	return true
}
