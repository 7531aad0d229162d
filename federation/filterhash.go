package federation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"

	"github.com/mosaicstack/fedkit/scope"
)

// filterHash is the hash of a filter without its limit. Every text has its length
// before it, so that no two filters are written in the same way.
func filterHash(f scope.Filter) string {
	sum := sha256.New()
	hashText(sum, f.Resource)
	hashText(sum, f.Subject)
	personal := byte(0)
	if f.Personal {
		personal = 1
	}
	sum.Write([]byte{personal})
	for _, team := range f.Teams {
		hashText(sum, team)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func hashText(sum hash.Hash, text string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(text)))
	sum.Write(length[:])
	io.WriteString(sum, text)
}
