// Package enroll gives the peers of a federation gateway their client certificates. The
// host makes a token for a grant, the peer sends it with a certificate request, and a
// [Signer] issues the certificate, to whose key the grant is then bound:
//
//	Invite ──► token ──► peer ──► POST token, request ──► certificate
//
// A pending grant becomes active by it. An active one takes the new key beside the one
// it has: that is how a peer changes its key, or renews its certificate.
//
// # Guarantees
//
// A token is good once, and for a short time. Of two that use it at once, one gets a
// certificate and the other, like everybody after it, 410. It is 256 random bits, of
// which only the SHA-256 is stored and compared, in constant time.
//
// The peer proves that it has the key, P-256 or Ed25519, and the key never leaves it.
// Whatever else the certificate request asks for (names, extensions, usages, authority)
// is ignored: the certificate says what the grant says. What the signer returns is
// checked for that before it is handed out.
//
// A grant that was revoked or has expired gets no certificate, also if that happens
// between the token's use and the end.
//
// Every step is reported before the next one is taken, refusals included, and a step
// that cannot be reported is the last one. No report has a token in it. Nothing that is
// the host's own, no grant, subject or reason, is in an answer; the certificate names its
// grant and subject, as it must.
//
// # Limits
//
// A token that was used is used up, also if the signer fails after it: make another one.
//
// The token is all that the peer proves about who it is. It must come to the peer on a
// way that nobody else can read, and goes back over TLS, to a server that the peer
// verifies: mount the [Desk] on a server that lets clients in without a certificate
// ([mtls.ServerTLS.Optional], or another listener).
//
// A request without a token that exists costs one look-up, and a report. Config.Addresses
// limits how many of them one address gets, and the module federation/ratelimit has a
// Limiter for it; without one there is no limit. (Guessing is hopeless either way: a token
// has 256 bits.)
//
// Nothing is sent by mail, and nobody approves: who may be invited is the host's to say,
// before it calls Invite.
//
// # Sources
//
// RFC 2986 (PKCS #10), RFC 7468 (PEM), RFC 5280 (certificates). The exchange is that of
// simple enrollment in RFC 7030, section 4.2, in JSON, and with a token for what is
// called there a username and password.
package enroll
