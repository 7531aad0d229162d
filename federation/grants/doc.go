// Package grants keeps the grants of a federation gateway: which peer may read what,
// on behalf of whom, from when until when, with which key, and whether that still
// holds.
//
// A [Grant] is a record. A [Registrar] takes it through its life, over any [Store]:
//
//	change         from                      to
//	Create                                   pending
//	Activate       pending                   active, with its first pin
//	Rotate, Unpin  active                    active, with two pins and with one again
//	Expire         pending, active           expired
//	Revoke         pending, active, expired  revoked
//
// No way leads back. Whoever wants a revoked or expired grant again makes another one.
//
// # Guarantees
//
// The zero Grant may not be used, and neither may one without a pin, without an
// expiry, or with a status that this package does not know.
//
// Each change raises the revision by one and is stored only over the revision that it
// was made from. Of two changes made from one revision, one is stored, and the other
// is [ErrConflict]. Revoke and Expire are right whatever came before, so they ask for
// no revision and try again until they are stored.
//
// A scope is checked against the host's registry before it is stored, and stored as
// its canonical text. Times are exact to the microsecond, in UTC.
//
// The clock counts, and not the status alone: from its Expires on, a grant is expired,
// whether or not anybody called Expire.
//
// # Limits
//
// A grant's terms (peer, subject, scope, times) do not change. A peer that is to see
// more gets another grant, and the old one is revoked.
//
// How soon a change counts is up to who reads the store: an authenticator that asks it
// for every request sees the change with the next one.
//
// Nothing is ever deleted. A grant has to be known for its revocation to be told from a
// grant that never was; what a host removes from its own table becomes unknown, which
// is refused as well.
package grants
