package cursor_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// tokensOfEachLength calls do with tokens whose last character stands for 2, 4
// and 6 bits: each can be spoiled in another way.
func tokensOfEachLength(t *testing.T, form cursor.Form, do func(c *cursor.Codec, b cursor.Binding, token string)) {
	t.Helper()
	c := newCodec(t, cursor.Config{Form: form})
	b := newLayout(t, "texts", cursor.Field{Kind: cursor.KindText}, cursor.Field{Kind: cursor.KindInt64}).Bind(query())
	lengths := map[int]bool{}
	for _, text := range []string{"", "a", "ab"} {
		token := encode(t, c, b, cursor.Position{cursor.TextValue(text), cursor.Int64Value(-1)})
		lengths[len(token)%4] = true
		do(c, b, token)
	}
	if len(lengths) != 3 {
		t.Fatalf("the tokens have only the lengths %v modulo 4", lengths)
	}
}

func TestEveryChangeOfAByteIsRefused(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			tokensOfEachLength(t, form.form, func(c *cursor.Codec, b cursor.Binding, token string) {
				raw := bytesOf(t, token)
				for i := range raw {
					for change := 1; change < 256; change++ {
						raw[i] ^= byte(change)
						mustRefuse(t, c, b, textOf(raw), refusalOfByte(i))
						raw[i] ^= byte(change)
					}
				}
			})
		})
	}
}

// refusalOfByte is how a change of the byte at i shows: version and form
// first, then the id of the key, then everything else.
func refusalOfByte(i int) error {
	switch {
	case i < 2:
		return cursor.ErrVersion
	case i < cursor.HeaderLen:
		return cursor.ErrUnknownKey
	default:
		return cursor.ErrForged
	}
}

func TestEveryChangeOfACharacterIsRefused(t *testing.T) {
	others := base64url + "+/=.%~ \t\r\n\x00\x7f\x80\xff"
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			tokensOfEachLength(t, form.form, func(c *cursor.Codec, b cursor.Binding, token string) {
				for i := range token {
					for _, other := range []byte(others) {
						if token[i] != other {
							refusal(t, c, b, token[:i]+string([]byte{other})+token[i+1:])
						}
					}
				}
			})
		})
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			tokensOfEachLength(t, form.form, func(c *cursor.Codec, b cursor.Binding, token string) {
				for i := range token {
					refusal(t, c, b, token[:i])
					refusal(t, c, b, token[len(token)-i:])
					refusal(t, c, b, token[:i]+token[i+1:])
				}
				raw := bytesOf(t, token)
				for i := range raw {
					refusal(t, c, b, textOf(raw[:i]))
				}
			})
		})
	}
}

func TestEveryExtensionIsRefused(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			tokensOfEachLength(t, form.form, func(c *cursor.Codec, b cursor.Binding, token string) {
				for _, more := range strings.Split(base64url+"=\n", "") {
					refusal(t, c, b, token+more)
					refusal(t, c, b, more+token)
					refusal(t, c, b, token+strings.Repeat(more, 4))
				}
				raw := bytesOf(t, token)
				for more := range 256 {
					mustRefuse(t, c, b, textOf(append(raw[:len(raw):len(raw)], byte(more))), cursor.ErrForged)
				}
				refusal(t, c, b, token+token)
			})
		})
	}
}

func TestTwoTokensCannotBeSpliced(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
			one, two := position(), position()
			two[1] = cursor.UUIDValue(cursor.UUID{9})
			a, z := bytesOf(t, encode(t, c, b, one)), bytesOf(t, encode(t, c, b, two))
			for i := cursor.HeaderLen; i < len(a); i++ {
				spliced := string(a[:i]) + string(z[i:])
				if spliced != string(a) && spliced != string(z) {
					mustRefuse(t, c, b, textOf([]byte(spliced)), cursor.ErrForged)
				}
			}
		})
	}
}

// A change of version, form or key id is refused before the key is asked, so
// this test asks the key itself.
func TestVersionAndFormAndKeyIDAreAuthenticated(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
			raw := bytesOf(t, encode(t, c, b, position()))
			if !cursor.Authentic(c, raw) {
				t.Fatal("the key does not know its own token")
			}
			for bit := range cursor.HeaderLen * 8 {
				raw[bit/8] ^= 1 << (bit % 8)
				if cursor.Authentic(c, raw) {
					t.Errorf("the key vouches for a token whose header differs in bit %d", bit)
				}
				raw[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

func TestATokenOfAnotherKeyIsForgedEvenUnderAKnownID(t *testing.T) {
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			b := tasks(t).Bind(query())
			c := newCodec(t, cursor.Config{Form: form.form, Keys: newKeyring(t, key(1), key(2))})
			foreign := newCodec(t, cursor.Config{Form: form.form, Keys: newKeyring(t, key(2))})
			ours := bytesOf(t, encode(t, c, b, position()))
			theirs := bytesOf(t, encode(t, foreign, b, position()))
			copy(theirs[:cursor.HeaderLen], ours)
			mustRefuse(t, c, b, textOf(theirs), cursor.ErrForged)
		})
	}
}

func TestATokenOfAnotherFormIsRefused(t *testing.T) {
	b := tasks(t).Bind(query())
	for _, made := range forms {
		token := encode(t, newCodec(t, cursor.Config{Form: made.form}), b, position())
		for _, read := range forms {
			if made.form == read.form {
				continue
			}
			t.Run(made.name+" for "+read.name, func(t *testing.T) {
				mustRefuse(t, newCodec(t, cursor.Config{Form: read.form}), b, token, cursor.ErrVersion)
			})
		}
	}
}

func TestRelabellingATokenDoesNotChangeItsForm(t *testing.T) {
	b := tasks(t).Bind(query())
	for _, made := range forms {
		raw := bytesOf(t, encode(t, newCodec(t, cursor.Config{Form: made.form}), b, position()))
		for _, read := range protectedForms {
			if made.form == read.form {
				continue
			}
			t.Run(made.name+" for "+read.name, func(t *testing.T) {
				relabelled := append([]byte(nil), raw...)
				relabelled[1] = byte(read.form)
				err := refusal(t, newCodec(t, cursor.Config{Form: read.form}), b, textOf(relabelled))
				if errors.Is(err, cursor.ErrVersion) {
					t.Errorf("the relabelled token is only refused for its label: %v", err)
				}
			})
		}
	}
}

func bytesOf(t testing.TB, token string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatalf("the token %q is not base64url: %v", token, err)
	}
	return raw
}

func textOf(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
