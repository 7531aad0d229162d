// Package cursor turns a position in an ordered list of rows (a keyset: the
// values of the order's columns in the last row of a page) into an opaque text
// token, and back.
//
// A [Layout] names an order and the kinds of its values. It is bound to a
// [Query]; the [Binding] and a [Position] go into [Codec.Encode], and the same
// binding and the token into [Codec.Decode]. What comes out is exactly what
// went in: a time to the microsecond, a text to the byte. A value that has no
// exact encoding is refused when the token is made, never rounded, since a
// rounded key skips rows or repeats them.
//
// # What a token guarantees
//
// A token of the forms [Sealed] and [Signed] is accepted only if this ring of
// keys made it, unchanged to the last bit, for this very query, and before its
// expiry. There is one text for one position: another spelling of the same
// bytes is refused. Every refusal is an error that matches [ErrInvalid] and one
// sentinel that says why, and costs a small multiple of the longest token in
// memory, whatever was sent. Answer all of them alike, with the status of a bad
// request.
//
// # What it does not guarantee
//
// A token may be used any number of times, by whoever holds it: authentication
// of the caller is not its business. Put into the query what the caller may
// not change.
//
// Without a TTL tokens of equal positions are equal, so that a response tells nothing
// but its rows. Hence two sealed tokens show whether they stand for the same position
// of the same query. The nonce of a sealed token is 96 bits of a MAC: promote a
// new key before one key has made some 2³² different tokens, the usual bound
// of AES-GCM. With a TTL, which is in the token to the microsecond, each is another one.
//
// The bytes of text are kept, not their collation: it is for the database to
// compare them in the same way for all pages.
//
// Plain tokens are not protected at all, see [Plain].
package cursor
