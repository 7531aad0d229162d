// Package mtls authenticates the peers of a federation gateway by their client
// certificates: an [Authenticator] finds the grant behind a certificate, and [ServerTLS]
// makes the TLS configuration under which that certificate has been verified.
//
//	config, err := mtls.ServerTLS{Base: own, Roots: roots}.Config()
//	// ...
//	authenticator, err := mtls.New(mtls.Config{Find: store.Find, Registry: scope.Standard()})
//
// The config is for the http.Server, the Authenticator for [federation.Config], and the store
// that of package grants: [grants.Memory], or a table of package sqlstore. Where a proxy
// ends TLS, a [Proxy] takes the place of the config.
//
// # Guarantees
//
// Only verified chains count: those that crypto/tls built to the host's roots, or that
// this package built for a certificate out of the header of a [Proxy]. That a client
// sent a certificate proves nothing, and neither does any header, on any connection that
// the proxy did not make.
//
// The certificate says whose it is by an [Identifier]: two [Extensions], a [SPIFFE] ID,
// or its [Thumbprint]. What is there twice, has two encodings, or could be read in two
// ways is refused. Common names, and the names of hosts, never count.
//
// The grant is looked up for every request, and nothing is kept from one to the next. A
// revocation or an expiry counts from the next request on, also on a connection that is
// kept alive and on a session that is resumed; so does the end of any certificate in
// the chain.
//
// A certificate that names the grant is not enough. The grant has to be bound to its
// key and its issuer by a pin; no other key, and no other authority among the roots, can
// use the grant.
//
// Who is refused learns nothing: all that have a verified certificate and no grant take
// the same way through one look-up, whether the grant is unknown, pending, revoked,
// expired or another's, or the certificate names none, or does so in a form that is
// refused; and the handler answers them all with the same bytes.
//
// # Limits
//
// A certificate that is revoked by its issuer's list (CRL, OCSP) still verifies: revoke
// the grant. A root that is taken out of the pool counts from the next handshake on, a
// resumed one included, and not on connections that are open.
//
// The subject is compared only if the certificate names one: SPIFFE IDs and thumbprints
// say nothing about subjects, the grant does.
//
// # Sources
//
// RFC 5280 (certificates), RFC 8446 (TLS 1.3), X.690 (DER), RFC 7469, section 2.4
// (pins), RFC 9440 (Client-Cert), RFC 8941 (its syntax), and the SPIFFE-ID and
// X509-SVID standards of SPIFFE.
package mtls
