package strictjson_test

import (
	"strconv"
	"strings"
)

// manyNames returns n different member names.
func manyNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "m" + strconv.Itoa(i)
	}
	return names
}

// objectOf returns an object with a member of each name, in this order.
func objectOf(names []string) []byte {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":0")
	}
	b.WriteByte('}')
	return []byte(b.String())
}
