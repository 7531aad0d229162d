package listquery

// uuidLen is the length of the text of a uuid: 32 digits and 4 hyphens.
const uuidLen = len("00000000-0000-0000-0000-000000000000")

// isUUID reports whether s is a uuid as databases write it, in lower case. A filter may
// have thousands of them, which is why it does without cursor.ParseUUID.
func isUUID(s string) bool {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	hyphens := 0
	for i := range len(s) {
		hyphens += int(uuidCharacters[s[i]] >> 4)
	}
	return hyphens == 4
}

// uuidByte is the byte that two digits of a uuid stand for.
func uuidByte(high, low byte) byte { return uuidCharacters[high]<<4 | uuidCharacters[low] }

// uuidCharacters has the value of each digit in its lower half. Its upper half is 1 for
// the hyphen, and for what a uuid cannot have more than there are hyphens.
var uuidCharacters = func() (values [256]byte) {
	for c := range values {
		values[c] = 0xf0
	}
	for value, c := range "0123456789abcdef" {
		values[c] = byte(value)
	}
	values['-'] = 0x10
	return values
}()
