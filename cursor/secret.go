package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"sync"
)

// minKeyLen is the least length of a key in bytes: the strength of AES-256.
const minKeyLen = 32

// secret is one key of a ring, ready for use. Each purpose has a subkey of its
// own (HKDF, RFC 5869), so that no two of them meet under one key and the id,
// which every token shows, tells nothing about the others.
type secret struct {
	fingerprint [sha256.Size]byte
	sealer      cipher.AEAD
	nonces      macPool
	tags        macPool
}

// id is what tokens name their key by.
func (s *secret) id() []byte { return s.fingerprint[:keyIDLen] }

func newSecret(key []byte) (*secret, error) {
	fingerprint, err := keyFingerprint(key)
	if err != nil {
		return nil, err
	}
	s := &secret{fingerprint: fingerprint}
	subkeys := make([][]byte, 3)
	for i, purpose := range []string{"seal", "nonce", "sign"} {
		if subkeys[i], err = subkey(key, purpose); err != nil {
			return nil, err
		}
	}
	block, err := aes.NewCipher(subkeys[0])
	if err != nil {
		return nil, fmt.Errorf("cursor: cannot use the key: %w", err)
	}
	if s.sealer, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("cursor: cannot use the key: %w", err)
	}
	s.nonces.key, s.tags.key = subkeys[1], subkeys[2]
	return s, nil
}

// keyFingerprint tells keys apart without keeping them.
func keyFingerprint(key []byte) (f [sha256.Size]byte, err error) {
	if len(key) < minKeyLen {
		return f, fmt.Errorf("cursor: a key has at least %d bytes, not %d", minKeyLen, len(key))
	}
	b, err := subkey(key, "fingerprint")
	if err != nil {
		return f, err
	}
	return [sha256.Size]byte(b), nil
}

func subkey(key []byte, purpose string) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, key, nil, "fedkit cursor v1 "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("cursor: cannot derive from the key: %w", err)
	}
	return b, nil
}

// seal encrypts the payload that stands in raw after header and room for the
// nonce. The nonce is a MAC of the payload (a synthetic IV, as in RFC 5297):
// equal payloads give equal tokens, and a nonce repeats for different ones only
// by the accident of two equal 96-bit MACs. The header need not take part in
// it, since it is the same for all that one key seals.
func (s *secret) seal(raw []byte) []byte {
	header, payload := raw[:headerLen], raw[headerLen+nonceLen:]
	nonce := s.nonces.appendSum(header, payload, nonceLen)[headerLen:]
	sealed := s.sealer.Seal(payload[:0], nonce, payload, header)
	return append(raw[:headerLen+nonceLen], sealed...)
}

// open decrypts in place what seal made; raw is at least Sealed.minLen() long.
func (s *secret) open(raw []byte) ([]byte, error) {
	header, sealed := raw[:headerLen], raw[headerLen+nonceLen:]
	payload, err := s.sealer.Open(sealed[:0], raw[headerLen:headerLen+nonceLen], sealed, header)
	if err != nil {
		return nil, ErrForged
	}
	return payload, nil
}

// sign appends a tag to the payload that stands in raw after the header.
func (s *secret) sign(raw []byte) []byte {
	return s.tags.appendSum(raw, raw, tagLen)
}

// verify returns the payload of what sign made; raw is at least
// Signed.minLen() long.
func (s *secret) verify(raw []byte) ([]byte, error) {
	signed, tag := raw[:len(raw)-tagLen], raw[len(raw)-tagLen:]
	var room [tagLen]byte
	want := s.tags.appendSum(room[:0], signed, tagLen)
	if subtle.ConstantTimeCompare(tag, want) != 1 {
		return nil, ErrForged
	}
	return signed[headerLen:], nil
}

// macPool computes HMAC-SHA256 under one key. It keeps states that have
// already absorbed the key, which halves the cost of a short message.
type macPool struct {
	key    []byte
	states sync.Pool
}

// mac is a state with room for its sum, which would escape to the heap at
// every call if it stood on the stack.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

// appendSum appends the first size bytes of the MAC of message.
func (p *macPool) appendSum(dst, message []byte, size int) []byte {
	m, ok := p.states.Get().(*mac)
	if !ok {
		m = &mac{Hash: hmac.New(sha256.New, p.key)}
	}
	m.Reset()
	m.Write(message)
	dst = append(dst, m.Sum(m.sum[:0])[:size]...)
	p.states.Put(m)
	return dst
}
