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
// # The audit
//
// With an Auditor, each call of a Registrar ends in one [federation.Record], refused ones
// included: who (Actor), when, and which grant, peer and subject, as far as they are known.
// Revision is the one that the change makes, or the one that was found if the change gets
// no further. Verb is create, activate, rotate, unpin, expire or
// revoke, Stage is registrar, and Code is
//
//	intended        about to be stored: see below
//	ok              stored
//	unchanged       revoked or expired already
//	grant_invalid   ErrInvalid
//	grant_status    ErrStatus
//	grant_exists    ErrExists
//	grant_conflict  ErrConflict
//	grant_unknown   ErrNotFound
//	store_failed    any other error of the Store: it may have been stored
//
// A change that lets somebody in (Create, Activate, Rotate) is recorded as intended
// before it is stored, and is not made if that fails. One that shuts somebody out (Unpin,
// Expire, Revoke) is made first: an audit that is down must not keep a grant open. What
// could not be recorded is [ErrUnaudited] in either case. Whoever revokes again has the
// record made up for, as unchanged.
//
// Like that of the handler, this audit fails closed by itself, and is best effort with a
// [federation.AuditQueue] as the Auditor. No record has a pin, a scope or a credential.
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
