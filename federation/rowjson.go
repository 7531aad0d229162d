package federation

// maxNesting is how deep encoding/json lets values nest; a row may not be deeper.
const maxNesting = 10_000

// isObject tells if text is exactly one JSON object, by RFC 8259 and without space around
// it. It says what encoding/json.Valid says, which took more than all other checks of a
// page together: four fifths of the handler's time. Whether the text is UTF-8 is another
// question.
func isObject(text []byte) bool {
	return len(text) > 0 && text[0] == '{' && skipValue(text, 0, 0) == len(text)
}

// The skip functions return the index behind what begins at i, or -1 if nothing good
// does.

func skipValue(text []byte, i, depth int) int {
	if i >= len(text) || depth > maxNesting {
		return -1
	}
	switch c := text[i]; {
	case c == '"':
		return skipString(text, i)
	case c == '{':
		return skipMembers(text, i, depth+1)
	case c == '[':
		return skipElements(text, i, depth+1)
	case c == 't':
		return skipWord(text, i, "true")
	case c == 'f':
		return skipWord(text, i, "false")
	case c == 'n':
		return skipWord(text, i, "null")
	default:
		return skipNumber(text, i)
	}
}

func skipMembers(text []byte, i, depth int) int {
	if depth > maxNesting {
		return -1
	}
	return walkMembers(text, i, func(_ []byte, at int) int { return skipValue(text, at, depth) })
}

func skipElements(text []byte, i, depth int) int {
	if depth > maxNesting {
		return -1
	}
	return walkElements(text, i, func(at int) int { return skipValue(text, at, depth) })
}

// plain are the bytes of a string that stand for themselves.
var plain = func() (is [256]bool) {
	for c := ' '; c < 256; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

func skipString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		c := text[i]
		switch {
		case plain[c]:
		case c == '"':
			return i + 1
		case c != '\\':
			return -1 // a control character
		default:
			if i = skipEscape(text, i+1); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// skipEscape reads what stands behind a backslash, and returns the index of its last
// byte.
func skipEscape(text []byte, i int) int {
	if i >= len(text) {
		return -1
	}
	switch text[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for end := i + 4; i < end; {
			if i++; i >= len(text) || !isHex(text[i]) {
				return -1
			}
		}
		return i
	}
	return -1
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func skipNumber(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	whole := skipDigits(text, i)
	if whole == i || text[i] == '0' && whole > i+1 {
		return -1
	}
	i = whole
	if i < len(text) && text[i] == '.' {
		fraction := skipDigits(text, i+1)
		if fraction == i+1 {
			return -1
		}
		i = fraction
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		exponent := skipDigits(text, i)
		if exponent == i {
			return -1
		}
		i = exponent
	}
	return i
}

func skipDigits(text []byte, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

func skipWord(text []byte, i int, word string) int {
	if end := i + len(word); end <= len(text) && string(text[i:end]) == word {
		return end
	}
	return -1
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}
