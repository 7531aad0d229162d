package cursor

import (
	"encoding/base64"
	"strings"
	"sync"
)

// encoding refuses padding, other alphabets and trailing bits that are not
// zero, but skips line ends, which decodeText refuses itself.
var encoding = base64.RawURLEncoding.Strict()

// scratch is the memory that making or reading one token takes: its bytes and
// its characters. Both are lent to interfaces, so they would escape to the heap
// at every call if they stood on the stack.
type scratch struct {
	raw, text []byte
}

var scratches = sync.Pool{New: func() any {
	return &scratch{raw: make([]byte, 0, 256), text: make([]byte, 0, 384)}
}}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// free gives the memory back, unless a long token made it too large to keep.
func (s *scratch) free() {
	if cap(s.raw)+cap(s.text) <= 16<<10 {
		scratches.Put(s)
	}
}

// decodeText returns the bytes of a token. They are valid until s is freed.
func (s *scratch) decodeText(token string) ([]byte, error) {
	if strings.IndexByte(token, '\r') >= 0 || strings.IndexByte(token, '\n') >= 0 {
		return nil, ErrMalformed
	}
	s.text = append(s.text[:0], token...)
	raw, err := encoding.AppendDecode(s.raw[:0], s.text)
	s.raw = raw[:0]
	if err != nil {
		return nil, ErrMalformed
	}
	return raw, nil
}
